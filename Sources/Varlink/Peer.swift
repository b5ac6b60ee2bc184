import Glibc

/// Who is on the other end of a Unix socket, as the kernel says.
public struct Peer: Sendable, Hashable {
    public var pid: Int32
    public var uid: UInt32
    public var gid: UInt32
    /// All groups of the peer, not only its primary one.
    public var groups: [UInt32]

    /// SO_PEERCRED carries only the primary group; SO_PEERGROUPS has them all (socket(7)).
    init?(descriptor: Int32) {
        // struct ucred { pid_t pid; uid_t uid; gid_t gid; }, which Glibc's module shows only to GNU sources.
        var credentials: [UInt32] = [0, 0, 0]
        var size = socklen_t(12)
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 else { return nil }
        var groups = [UInt32](repeating: 0, count: 256)
        var bytes = socklen_t(groups.count * 4)
        let peerGroups: Int32 = 59
        let found = getsockopt(descriptor, SOL_SOCKET, peerGroups, &groups, &bytes) == 0
        (pid, uid, gid) = (Int32(bitPattern: credentials[0]), credentials[1], credentials[2])
        self.groups = found ? Array(groups.prefix(Int(bytes) / 4)) : [credentials[2]]
    }
}
