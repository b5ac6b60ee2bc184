/// One step of a ``Sequential`` model.
///
/// A layer belongs to one thread at a time. `forward` and `backward` trust their input to be finite; the model and the
/// layers' own `callAsFunction` check it.
public protocol Layer: AnyObject {
    /// `lstm`, `lstm_1`, …: the model gives names that are unique in it.
    var name: String { get set }
    /// Keras' name of the layer's class.
    var kind: String { get }
    /// In Keras' order; empty before `build`.
    var parameters: [Parameter] { get }
    /// What an activity regularizer added to the loss in the last forward pass of training.
    var activityPenalty: Double { get }

    /// Makes weights for inputs of `shape`, without the batch; nil where any length is right. Returns the output's shape.
    func build(_ shape: [Int?], _ random: inout RandomSource) throws(RecurrentError) -> [Int?]
    /// `training` keeps what `backward` needs and draws dropout masks.
    func forward(_ input: Tensor, mask: Mask?, training: Bool) throws(RecurrentError) -> Tensor
    /// Sets the gradients of the parameters from that of the last output; returns that of the input if it is wanted.
    func backward(_ gradient: Tensor, wantsInputGradient: Bool) throws(RecurrentError) -> Tensor?
    /// Forgets states that live on between calls.
    func resetStates()
}

extension Layer {
    public var parameters: [Parameter] { [] }
    public var activityPenalty: Double { 0 }
    public func resetStates() {}

    /// The weights in Keras' order.
    public var weights: [Tensor] { parameters.map(\.tensor) }

    /// Replaces all weights; none if one does not fit.
    ///
    /// - Throws: ``RecurrentError/shape(what:expected:actual:)``, ``RecurrentError/notFinite(tensor:)``, or
    ///   ``RecurrentError/argument(name:expected:actual:)`` for another number of tensors.
    public func setWeights(_ tensors: [Tensor]) throws(RecurrentError) {
        guard tensors.count == parameters.count else {
            throw .argument(
                name: "\(name): weights", expected: "\(parameters.count) tensors", actual: "\(tensors.count)")
        }
        for (parameter, tensor) in zip(parameters, tensors) { try parameter.check(tensor, in: name) }
        for (parameter, tensor) in zip(parameters, tensors) { parameter.values = tensor.values }
    }
}

/// Checks on arguments that several layers share.
enum Argument {
    static func positive(_ name: String, _ value: Int) throws(RecurrentError) {
        // The upper bound keeps products of sizes far from overflow.
        guard value > 0, value <= 1 << 20 else {
            throw .argument(name: name, expected: "1 to 1048576", actual: "\(value)")
        }
    }

    static func rate(_ name: String, _ value: Float) throws(RecurrentError) {
        guard value >= 0, value < 1 else {
            throw .argument(name: name, expected: "at least 0 and below 1", actual: "\(value)")
        }
    }
}
