/// A layer of a ``Sequential`` model.
///
/// A layer must be used by one thread at a time. `forward` and `backward` assume that their input is finite; the model
/// and the layers' own `callAsFunction` check it.
public protocol Layer: AnyObject {
    /// `lstm`, `lstm_1`, …: the model makes the names unique.
    var name: String { get set }
    /// Keras' name of the layer's class.
    var kind: String { get }
    /// In Keras' order; empty before `build`.
    var parameters: [Parameter] { get }
    /// The penalty that an activity regularizer added to the loss in the last training forward pass.
    var activityPenalty: Double { get }

    /// Creates weights for inputs of `shape`, without the batch axis, and returns the output's shape; nil stands for
    /// any length.
    func build(_ shape: [Int?], _ random: inout RandomSource) throws(RecurrentError) -> [Int?]
    /// Computes the output; `training` also draws dropout masks and saves what `backward` needs.
    func forward(_ input: Tensor, mask: Mask?, training: Bool) throws(RecurrentError) -> Tensor
    /// Sets the gradients of the parameters from the gradient of the last output; returns the gradient of the input if
    /// it is wanted.
    func backward(_ gradient: Tensor, wantsInputGradient: Bool) throws(RecurrentError) -> Tensor?
    /// Clears states that persist between calls.
    func resetStates()
}

extension Layer {
    public var parameters: [Parameter] { [] }
    public var activityPenalty: Double { 0 }
    public func resetStates() {}

    /// The weights in Keras' order.
    public var weights: [Tensor] { parameters.map(\.tensor) }

    /// Replaces all weights, or none of them if one does not fit.
    ///
    /// - Throws: ``RecurrentError/shape(what:expected:actual:)``, ``RecurrentError/notFinite(tensor:)``, or
    ///   ``RecurrentError/argument(name:expected:actual:)`` for a wrong number of tensors.
    public func setWeights(_ tensors: [Tensor]) throws(RecurrentError) {
        guard tensors.count == parameters.count else {
            throw .argument(
                name: "\(name): weights", expected: "\(parameters.count) tensors", actual: "\(tensors.count)")
        }
        for (parameter, tensor) in zip(parameters, tensors) { try parameter.check(tensor, in: name) }
        for (parameter, tensor) in zip(parameters, tensors) { parameter.values = tensor.values }
    }
}

/// Argument checks that several layers share.
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
