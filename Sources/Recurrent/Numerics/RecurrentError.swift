/// Why an argument, an input, a state or a weights file was refused; the refused operation has no effect.
public enum RecurrentError: Error, Equatable, CustomStringConvertible {
    /// `expected` contains nil where any length is allowed.
    case shape(what: String, expected: [Int?], actual: [Int])
    /// NaN or infinity where a finite number is required.
    case notFinite(tensor: String)
    case missingTensor(String, found: [String])
    case malformedFile(String)
    case argument(name: String, expected: String, actual: String)
    /// A stateful layer keeps one state per sample, so the batch must not change.
    case batchSize(layer: String, expected: Int, actual: Int)
    /// The layer has no weights yet, because it has not seen an input's shape.
    case notBuilt(layer: String)
    /// A gradient was requested without a preceding forward pass with `training: true`.
    case nothingToDifferentiate(layer: String)
    /// Training overflowed to NaN or infinity; the weights are those from before it.
    case diverged(step: Int)

    public var description: String {
        switch self {
        case .shape(let what, let expected, let actual):
            let lengths = expected.map { $0.map(String.init) ?? "any" }.joined(separator: ", ")
            return "\(what): expected shape [\(lengths)], found \(actual)"
        case .notFinite(let tensor):
            return "\"\(tensor)\" holds NaN or infinity; repair its source, or mask those timesteps"
        case .missingTensor(let name, let found):
            return "no tensor \"\(name)\" in the file; it has \(found.joined(separator: ", "))"
        case .malformedFile(let reason): return "not a safetensors file: \(reason)"
        case .argument(let name, let expected, let actual): return "\(name): expected \(expected), found \(actual)"
        case .batchSize(let layer, let expected, let actual):
            return "\(layer) is stateful with a batch of \(expected), found \(actual); "
                + "call resetStates() before a batch of another size"
        case .notBuilt(let layer): return "\(layer) has no weights yet; build it for an input's shape first"
        case .nothingToDifferentiate(let layer):
            return "\(layer) has no recorded forward pass; call forward with training: true before backward"
        case .diverged(let step):
            return
                "the loss or a gradient became NaN or infinite at step \(step); try a smaller learning rate or clipping"
        }
    }
}
