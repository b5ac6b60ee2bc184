/// Why a listener stopped listening.
public enum FeedingError: Error, Equatable, CustomStringConvertible {
    /// The socket was closed from below.
    case closed(ListenAddress)

    public var description: String {
        switch self {
        case .closed(let address): "the socket on \(address) was closed; nilod has to be started again"
        }
    }
}
