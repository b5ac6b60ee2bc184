import Glibc

/// Why a socket cannot be created at a path.
public enum SocketFileError: Error, Equatable, CustomStringConvertible {
    case notAPath(String)
    case pathTooLong(String, bytes: Int, limit: Int)
    /// Another process listens on it.
    case inUse(String)
    case notASocket(String)
    case system(call: String, path: String, code: Int32)

    public var description: String {
        switch self {
        case .notAPath, .pathTooLong: "expected \(expected)"
        case .inUse(let path):
            "a living process listens on the socket \(path): stop that one first, or choose another path"
        case .notASocket(let path): "\(path) exists and is not a socket: remove it, or choose another path"
        case .system(let call, let path, let code):
            "cannot listen on \(path): \(call): \(String(cString: strerror(code)))"
        }
    }

    /// What is expected, without the word "expected".
    public var expected: String {
        switch self {
        case .notAPath(let path): "the path of a socket, not \"\(path)\""
        case .pathTooLong(let path, let bytes, let limit):
            "a path of at most \(limit) bytes for a socket, and \(path) has \(bytes): choose a shorter one"
        default: "a path that a socket can have"
        }
    }
}
