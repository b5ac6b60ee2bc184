import Storage

/// Why a model begins to serve a series.
struct Cause: Sendable, Hashable {
    var reason: String
    /// What the model stands in for until that can be loaded; nil: it is not a fallback.
    var fallbackFor: MissingModel?

    init(_ reason: String, fallbackFor: MissingModel? = nil) { (self.reason, self.fallbackFor) = (reason, fallbackFor) }
}

extension Cause: CustomStringConvertible {
    /// The reason in words; it already names a version that cannot be loaded.
    var description: String {
        guard case .method(let name) = fallbackFor else { return reason }
        return "\(reason), in place of \(name)"
    }
}

extension Epoch {
    var cause: Cause { Cause(reason, fallbackFor: fallbackFor) }
}
