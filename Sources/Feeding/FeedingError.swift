import Glibc
import NIOCore

/// Why a listener cannot listen, or stopped.
public enum FeedingError: Error, Equatable, CustomStringConvertible {
    /// The socket was closed, but not by us.
    case closed(ListenAddress)
    /// Another program uses the port; `holder` is nil if it is unknown.
    case portTaken(ListenAddress, holder: String?)
    /// The system refuses the address.
    case cannotListen(ListenAddress, reason: String)

    init(_ error: IOError, binding address: ListenAddress, _ transport: String) {
        guard error.errnoCode == EADDRINUSE, case .internet(_, let port) = address else {
            self = .cannotListen(address, reason: String(cString: strerror(error.errnoCode)))
            return
        }
        self = .portTaken(address, holder: PortHolder.find(port: port, transport))
    }

    public var description: String {
        switch self {
        case .closed(let address): "the socket on \(address) was closed; restart nilod"
        case .portTaken(let address, let holder):
            "cannot listen on \(address): \(holder ?? "another program") uses the port; stop it, or choose another port"
        case .cannotListen(let address, let reason): "cannot listen on \(address): \(reason)"
        }
    }
}
