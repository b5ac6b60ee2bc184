import NIOHTTP1

/// The content coding of a request's body (RFC 9110, 8.4.1).
enum ContentCoding: Equatable {
    case identity, gzip, deflate

    /// The supported codings, as the value of a header.
    static let supported = "gzip, deflate, identity"

    /// nil if the headers name another coding, or more than one.
    init?(_ headers: HTTPHeaders) {
        switch headers[canonicalForm: "content-encoding"].map({ $0.lowercased() }).filter({ !$0.isEmpty }) {
        case [], ["identity"]: self = .identity
        case ["gzip"], ["x-gzip"]: self = .gzip
        case ["deflate"]: self = .deflate
        default: return nil
        }
    }
}
