/// Why a connection could not be made or was lost.
public enum ConnectionError: Error, Sendable, Hashable, CustomStringConvertible {
    case notReachable(path: String, reason: String)
    case closed
    case malformed(String)
    /// A message exceeds the limit of both sides, ``FrameLimit/bytes``.
    case tooLong
    /// The peer was too slow or silent for too long; the text says at what.
    case timedOut(String)
    /// A shared resource ran out and this peer held most of it; the text says which.
    case crowdedOut(String)

    public var description: String {
        switch self {
        case .notReachable(let path, let reason): "cannot connect to \(path): \(reason)"
        case .closed: "the other side closed the connection"
        case .malformed(let reason): "the other side does not speak Varlink: \(reason)"
        case .tooLong: "a message is longer than \(FrameLimit.bytes >> 20) MiB: send it in pieces"
        case .timedOut(let reason), .crowdedOut(let reason): reason
        }
    }
}

/// The maximum length of a message.
public enum FrameLimit {
    /// In bytes: 16 MiB, as in systemd.
    public static let bytes = 16 << 20
}
