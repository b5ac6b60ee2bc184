/// A stack of layers, like Keras' `Sequential`; built at once, so shapes are known before the first input.
///
///     let model = try Sequential(
///         [LSTM(32, returnSequences: true), LSTM(32), Dense(1)], inputShape: [nil, 4], seed: 1)
///     model.compile(Optimizer(.adam(), learningRate: 0.001), loss: .meanSquaredError)
///     let history = try model.fit(x, y, batchSize: 32, epochs: 10)
///
/// A model must be used by one thread at a time.
public final class Sequential {
    public let name: String
    public let layers: [any Layer]
    /// Without the batch axis; nil where any length is allowed.
    public let inputShape: [Int?]
    /// The output shape of each layer, without the batch axis.
    public let outputShapes: [[Int?]]
    var optimizer = Optimizer(.adam())
    var loss = Loss.meanSquaredError
    var random: RandomSource

    /// Builds the layers and names them as Keras does: `lstm`, `lstm_1`, `dense`, ….
    ///
    /// - Throws: ``RecurrentError`` for no layers, and for layers that do not fit together.
    public init(
        _ layers: [any Layer], inputShape: [Int?], name: String = "sequential", seed: UInt64 = 0
    ) throws(RecurrentError) {
        guard !layers.isEmpty else { throw .argument(name: "layers", expected: "at least one", actual: "none") }
        guard Set(layers.map { ObjectIdentifier($0) }).count == layers.count else {
            throw .argument(name: "layers", expected: "each layer once", actual: "a layer twice")
        }
        var random = RandomSource(seed: seed)
        var shape = inputShape
        var shapes: [[Int?]] = []
        for layer in layers {
            shape = try layer.build(shape, &random)
            shapes.append(shape)
        }
        (self.layers, self.inputShape, self.name, self.random) = (layers, inputShape, name, random)
        outputShapes = shapes
        nameLayers()
    }

    private func nameLayers() {
        var seen: [String: Int] = [:]
        for layer in layers {
            let base = layer.name
            let count = seen[base, default: 0]
            seen[base] = count + 1
            if count > 0 { layer.name = "\(base)_\(count)" }
        }
    }

    /// Sets the optimizer and the loss for ``fit(_:_:batchSize:epochs:shuffle:validation:earlyStopping:onEpoch:)``; the
    /// state of an earlier optimizer is discarded.
    public func compile(_ optimizer: Optimizer, loss: Loss) { (self.optimizer, self.loss) = (optimizer, loss) }

    public var parameters: [Parameter] { layers.flatMap(\.parameters) }

    /// All weights in Keras' order.
    public var weights: [Tensor] { parameters.map(\.tensor) }

    /// Replaces all weights, or none of them if one does not fit.
    ///
    /// - Throws: ``RecurrentError``.
    public func setWeights(_ tensors: [Tensor]) throws(RecurrentError) {
        let all = layers.flatMap { layer in layer.parameters.map { (layer.name, $0) } }
        guard tensors.count == all.count else {
            throw .argument(name: "weights", expected: "\(all.count) tensors", actual: "\(tensors.count)")
        }
        for ((layer, parameter), tensor) in zip(all, tensors) { try parameter.check(tensor, in: layer) }
        for ((_, parameter), tensor) in zip(all, tensors) { parameter.values = tensor.values }
    }

    public func resetStates() { for layer in layers { layer.resetStates() } }

    /// The output for `x`, `[batch] + inputShape`, without dropout. Stateful layers keep their final states.
    ///
    /// - Throws: ``RecurrentError``; weights and states are then unchanged.
    public func callAsFunction(_ x: Tensor, mask: Mask? = nil) throws(RecurrentError) -> Tensor {
        try x.checkFinite("input")
        return try restoring { () throws(RecurrentError) in try forward(x, mask: mask, training: false) }
    }

    /// A layer that keeps the time axis passes the mask on.
    func forward(_ x: Tensor, mask: Mask?, training: Bool) throws(RecurrentError) -> Tensor {
        try x.checkShape("input", [nil] + inputShape)
        var (value, mask) = (x, mask)
        for (layer, shape) in zip(layers, outputShapes) {
            value = try layer.forward(value, mask: mask, training: training)
            if shape.count < 2 { mask = nil }
        }
        return value
    }

    /// Sets the gradients of all parameters from the gradient of the last training output.
    func backward(_ gradient: Tensor) throws(RecurrentError) {
        var gradient = gradient
        for (index, layer) in layers.enumerated().reversed() {
            let isWanted = layers[..<index].contains { !$0.parameters.isEmpty }
            guard let next = try layer.backward(gradient, wantsInputGradient: isWanted) else { return }
            gradient = next
        }
    }

    /// Runs `body`; if it throws, restores the stored states.
    private func restoring<Result>(_ body: () throws(RecurrentError) -> Result) throws(RecurrentError) -> Result {
        let states = layers.map { ($0 as? LSTM)?.state }
        do { return try body() } catch {
            for (layer, state) in zip(layers, states) { (layer as? LSTM)?.state = state }
            throw error
        }
    }
}
