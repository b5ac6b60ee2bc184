/// A remark of a training run on the weights from which it was to continue.
public enum TrainingNote: Sendable, Hashable, Codable, CustomStringConvertible {
    /// It continues from them, with the numbers of series in the group that were trained before and that are new.
    case goesOn(known: Int, new: Int)
    /// It starts from scratch, because they do not fit.
    case beginsAnew(Misfit)

    /// Why weights do not fit.
    public enum Misfit: Sendable, Hashable, Codable, CustomStringConvertible {
        /// They belong to another method, or to another version of it.
        case method(expected: String, found: String)
        /// The configuration now has another horizon, other quantiles or other parameters.
        case specification
        /// They contain no series of this cadence.
        case cadence(seconds: Double)
        /// The short and the long season of the group, in slots, differ from those in training.
        case seasons(expected: [Int], found: [Int])
        /// Their tensors have other shapes, or are missing.
        case tensors(String)

        public var description: String {
            switch self {
            case .method(let expected, let found): "they belong to \(found), not to \(expected)"
            case .specification: "horizon, quantiles or parameters have changed"
            case .cadence(let seconds): "they contain no series with a cadence of \(seconds) s"
            case .seasons(let expected, let found):
                "they were trained with seasons of \(found) slots, not the current \(expected)"
            case .tensors(let reason): reason
            }
        }
    }

    public var description: String {
        switch self {
        case .goesOn(let known, let new): "continues from the champion's weights (\(known) series known, \(new) new)"
        case .beginsAnew(let misfit): "starts from scratch, the champion's weights do not fit: \(misfit)"
        }
    }
}
