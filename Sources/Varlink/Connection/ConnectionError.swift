/// Why a connection could not be made or was lost.
public enum ConnectionError: Error, Sendable, Hashable, CustomStringConvertible {
    case notReachable(path: String, reason: String)
    case closed
    case malformed(String)
    /// A message is longer than both sides take: ``FrameLimit/bytes``.
    case tooLong
    /// The peer was too slow or too quiet; the text says at what.
    case timedOut(String)
    /// There is not enough for all peers, and this one had most; the text says of what.
    case crowdedOut(String)

    public var description: String {
        switch self {
        case .notReachable(let path, let reason): "nobody answers on \(path): \(reason)"
        case .closed: "the other side closed the connection"
        case .malformed(let reason): "the other side does not speak Varlink: \(reason)"
        case .tooLong: "a message is longer than \(FrameLimit.bytes >> 20) MiB: send it in pieces"
        case .timedOut(let reason), .crowdedOut(let reason): reason
        }
    }
}

/// How long a message may be.
public enum FrameLimit {
    /// 16 MiB, as in systemd.
    public static let bytes = 16 << 20
}
