import Glibc

/// Why a listener cannot listen.
public enum FeedingError: Error, Equatable, CustomStringConvertible {
    /// A system call failed.
    case system(call: String, address: ListenAddress, code: Int32)
    /// The path is longer than an address of a Unix socket holds.
    case pathTooLong(String, limit: Int)
    /// The socket was closed from below.
    case closed(ListenAddress)

    public var description: String {
        switch self {
        case .system(let call, let address, let code):
            "cannot listen on \(address): \(call): \(String(cString: strerror(code)))"
        case .pathTooLong(let path, let limit): "expected a path of at most \(limit) bytes for a socket, not \(path)"
        case .closed(let address): "the socket on \(address) was closed; nilod has to be started again"
        }
    }
}
