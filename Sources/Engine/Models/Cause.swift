import Storage

/// Why a model serves a series from now on.
struct Cause: Sendable, Hashable {
    var reason: String
    /// What the model makes room for when that can be loaded; nil: it serves in its own right.
    var fallbackFor: MissingModel?

    init(_ reason: String, fallbackFor: MissingModel? = nil) { (self.reason, self.fallbackFor) = (reason, fallbackFor) }
}

extension Cause: CustomStringConvertible {
    /// For people. A version that cannot be loaded is in the reason already.
    var description: String {
        guard case .method(let name) = fallbackFor else { return reason }
        return "\(reason), in place of \(name)"
    }
}

extension Epoch {
    var cause: Cause { Cause(reason, fallbackFor: fallbackFor) }
}
