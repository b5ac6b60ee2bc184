import Glibc

/// Identifies the peer of a connection for fair sharing: a process of a user, or a host.
public struct PeerKey: Hashable, Sendable, CustomStringConvertible {
    /// The user or the host that the peer belongs to.
    public enum Owner: Hashable, Sendable {
        case user(UInt32)
        case host(String)
        case unknown
    }

    /// The user or the host.
    public var owner: Owner
    /// The process id; 0 if there is none.
    public var process: Int32

    public init(_ owner: Owner, process: Int32 = 0) { (self.owner, self.process) = (owner, process) }

    /// The peer of a connected Unix socket, as the kernel reports it (unix(7)).
    public init(unix descriptor: Int32) {
        // struct ucred { pid_t pid; uid_t uid; gid_t gid; }, which the Glibc module hides without _GNU_SOURCE.
        var credentials: [UInt32] = [0, 0, 0]
        var size = socklen_t(12)
        let isKnown = getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0
        self = isKnown ? PeerKey(.user(credentials[1]), process: Int32(bitPattern: credentials[0])) : PeerKey(.unknown)
    }

    public var description: String {
        switch owner {
        case .user(let uid): "uid \(uid), pid \(process)"
        case .host(let host): host
        case .unknown: "an unknown peer"
        }
    }
}
