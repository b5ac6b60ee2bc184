import Glibc
internal import Listening

/// The peer of a Unix socket, as the kernel reports it (unix(7)).
public struct Peer: Sendable, Hashable {
    public var pid: Int32
    public var uid: UInt32
    /// The primary group.
    public var gid: UInt32
    /// All groups: the primary one and the others.
    public var groups: Set<UInt32>

    /// The peer of a connected socket; nil if the kernel does not say.
    init?(descriptor: Int32) {
        // struct ucred { pid_t pid; uid_t uid; gid_t gid; }, which the Glibc module hides without _GNU_SOURCE.
        var credentials: [UInt32] = [0, 0, 0]
        var size = socklen_t(12)
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 else { return nil }
        (pid, uid, gid) = (Int32(bitPattern: credentials[0]), credentials[1], credentials[2])
        groups = Set(Self.supplementaryGroups(descriptor)).union([credentials[2]])
    }

    /// The key for fair sharing.
    var key: PeerKey { PeerKey(.user(uid), process: pid) }

    /// Whether the peer is root or the user of the service.
    var isPrivileged: Bool { uid == 0 || uid == getuid() }

    /// SO_PEERCRED has only the primary group; SO_PEERGROUPS has the others, and returns the needed size if the buffer
    /// is too small.
    private static func supplementaryGroups(_ descriptor: Int32) -> [UInt32] {
        let peerGroups: Int32 = 59
        var groups = [UInt32](repeating: 0, count: 64)
        while true {
            let capacity = socklen_t(groups.count * 4)
            var bytes = capacity
            if getsockopt(descriptor, SOL_SOCKET, peerGroups, &groups, &bytes) == 0 {
                return Array(groups.prefix(Int(bytes) / 4))
            }
            guard errno == ERANGE, bytes > capacity else { return [] }
            groups = [UInt32](repeating: 0, count: Int(bytes) / 4)
        }
    }
}
