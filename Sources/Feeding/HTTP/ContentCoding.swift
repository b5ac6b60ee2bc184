import NIOHTTP1

/// What a request's body is wrapped in (RFC 9110, 8.4.1).
enum ContentCoding: Equatable {
    case identity, gzip, deflate

    /// What is taken, as a header says it.
    static let supported = "gzip, deflate, identity"

    /// nil: the headers name another coding, or several on top of each other.
    init?(_ headers: HTTPHeaders) {
        switch headers[canonicalForm: "content-encoding"].map({ $0.lowercased() }).filter({ !$0.isEmpty }) {
        case [], ["identity"]: self = .identity
        case ["gzip"], ["x-gzip"]: self = .gzip
        case ["deflate"]: self = .deflate
        default: return nil
        }
    }
}
