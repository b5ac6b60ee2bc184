/// Why a method, its parameters, its weights or its training were refused.
public enum ForecastingError: Error, Equatable, CustomStringConvertible {
    case unknownParameter(String, method: String, known: [String])
    case badParameter(String, method: String, expected: String, found: String)
    case badWeights(method: String, reason: String)
    case tooLittleHistory(method: String, found: Int, needed: Int)
    case diverged(method: String, reason: String)
    case cancelled
    case badFile(String, reason: String)
    case noSpace(path: String)

    public var description: String {
        switch self {
        case .unknownParameter(let name, let method, let known):
            "\(method) has no parameter \"\(name)\"; it takes \(known.joined(separator: ", "))"
        case .badParameter(let name, let method, let expected, let found):
            "\(method): parameter \"\(name)\" must be \(expected), not \(found)"
        case .badWeights(let method, let reason):
            "\(method): these weights cannot be used: \(reason); retrain, or promote another version"
        case .tooLittleHistory(let method, let found, let needed):
            "\(method): training needs at least \(needed) slots of one series, there are \(found); wait for more readings"
        case .diverged(let method, let reason):
            "\(method): training diverged: \(reason); lower the learning rate or look for outliers in the data"
        case .cancelled: "training was cancelled"
        case .badFile(let path, let reason): "\(path): \(reason)"
        case .noSpace(let path): "no space left to write \(path); free some, then try again"
        }
    }
}
