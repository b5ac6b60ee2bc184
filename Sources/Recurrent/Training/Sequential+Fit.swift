/// The losses of one pass over the data.
public struct Epoch: Sendable, Equatable {
    /// The number of the epoch, from 1.
    public let number: Int
    /// The mean training loss over the batches, penalties included.
    public let loss: Double
    /// The loss on the validation data, if there is any.
    public let validationLoss: Double?
}

extension Sequential {
    /// Makes one training step: forward pass, loss, backpropagation through time, optimizer.
    ///
    /// Returns the loss from before the step, penalties included, like Keras' `train_on_batch`.
    ///
    /// - Throws: ``RecurrentError``; weights and states are then unchanged.
    public func trainOnBatch(_ x: Tensor, _ y: Tensor, mask: Mask? = nil) throws(RecurrentError) -> Double {
        try x.checkFinite("input")
        try y.checkFinite("targets")
        return try transactional { () throws(RecurrentError) in try step(x, y, mask) }
    }

    /// Trains for `epochs` passes over batches of samples.
    ///
    /// - Parameters:
    ///   - x: `[samples] + inputShape`.
    ///   - y: shaped like the output; with ``Loss/pinball(levels:)`` and ``Loss/gaussianNLL`` the length of the last
    ///     axis is the number of targets.
    ///   - batchSize: samples in one optimizer step; the last batch may be smaller.
    ///   - epochs: passes over the data, at most.
    ///   - shuffle: draws a new order in each epoch from the model's seed. A stateful model should not shuffle.
    ///   - validation: data whose loss is measured after every epoch.
    ///   - earlyStopping: when to stop before `epochs`; nil: never.
    ///   - onEpoch: called after every epoch.
    /// - Throws: ``RecurrentError``; weights, states and optimizer are then unchanged.
    @discardableResult
    public func fit(
        _ x: Tensor, _ y: Tensor, batchSize: Int = 32, epochs: Int = 1, shuffle: Bool = true,
        validation: (x: Tensor, y: Tensor)? = nil, earlyStopping: EarlyStopping? = nil,
        onEpoch: (Epoch) -> Void = { _ in }
    ) throws(RecurrentError) -> [Epoch] {
        try Argument.positive("batchSize", batchSize)
        let samples = try checkData(x, y)
        return try train(epochs, validation, earlyStopping, onEpoch) { () throws(RecurrentError) in
            let order = shuffle ? (0..<samples).shuffled(using: &random) : Array(0..<samples)
            var sum = 0.0
            for start in stride(from: 0, to: samples, by: batchSize) {
                let part = order[start..<min(start + batchSize, samples)]
                let isAll = part.count == samples && !shuffle
                sum += try step(isAll ? x : x.samples(part), isAll ? y : y.samples(part), nil) * Double(part.count)
            }
            return sum / Double(samples)
        }
    }

    /// Trains on long streams with carried state: truncated backpropagation through time, like Keras' `stateful=True`.
    ///
    /// Every epoch starts from zero states and runs through the streams in chunks; each chunk continues from the states
    /// of the one before, and no gradient crosses a boundary.
    ///
    /// - Parameters:
    ///   - x: `[streams, timesteps, inputs]`; all LSTM layers must be stateful and return sequences.
    ///   - y: `[streams, timesteps, targets]`.
    ///   - chunk: timesteps between truncations; the last chunk may be shorter.
    ///   - epochs: passes over the streams, at most.
    ///   - validation: data whose loss is measured after every epoch.
    ///   - earlyStopping: when to stop before `epochs`; nil: never.
    ///   - onEpoch: called after every epoch.
    /// - Throws: ``RecurrentError``; weights, states and optimizer are then unchanged.
    @discardableResult
    public func fit(
        streams x: Tensor, _ y: Tensor, chunk: Int, epochs: Int = 1, validation: (x: Tensor, y: Tensor)? = nil,
        earlyStopping: EarlyStopping? = nil, onEpoch: (Epoch) -> Void = { _ in }
    ) throws(RecurrentError) -> [Epoch] {
        try Argument.positive("chunk", chunk)
        _ = try checkData(x, y)
        guard x.shape.count == 3, y.shape.count == 3, x.shape[1] == y.shape[1] else {
            throw .shape(
                what: "targets", expected: [x.shape[0], x.shape.count > 1 ? x.shape[1] : nil, nil], actual: y.shape)
        }
        for case let layer as LSTM in layers where !layer.stateful || !layer.returnSequences {
            throw .argument(
                name: layer.name, expected: "stateful and returnSequences, to carry states",
                actual: "stateful: \(layer.stateful), returnSequences: \(layer.returnSequences)")
        }
        let timesteps = x.shape[1]
        return try train(epochs, validation, earlyStopping, onEpoch) { () throws(RecurrentError) in
            resetStates()
            var sum = 0.0
            for start in stride(from: 0, to: timesteps, by: chunk) {
                let range = start..<min(start + chunk, timesteps)
                sum += try step(x.timesteps(range), y.timesteps(range), nil) * Double(range.count)
            }
            return sum / Double(timesteps)
        }
    }

    /// The loss on the data, penalties on weights included, without dropout; the stored states are left unchanged.
    ///
    /// - Throws: ``RecurrentError``.
    public func evaluate(_ x: Tensor, _ y: Tensor) throws(RecurrentError) -> Double {
        _ = try checkData(x, y)
        return try measuredLoss(x, y)
    }

    // MARK: Steps

    private func step(_ x: Tensor, _ y: Tensor, _ mask: Mask?) throws(RecurrentError) -> Double {
        let output = try forward(x, mask: mask, training: true)
        let (value, gradient) = try loss(output, y)
        let activity = layers.reduce(0) { $0 + $1.activityPenalty }
        try backward(gradient)
        let parameters = parameters
        let penalty = parameters.reduce(0) { $0 + $1.regularize() }
        let total = value + activity + penalty
        guard total.isFinite else { throw .diverged(step: optimizer.iterations) }
        try optimizer.apply(to: parameters)
        return total
    }

    private func measuredLoss(_ x: Tensor, _ y: Tensor) throws(RecurrentError) -> Double {
        let states = layers.map { ($0 as? LSTM)?.state }
        defer { restore(states) }
        resetStates()
        let output = try forward(x, mask: nil, training: false)
        return try loss(output, y).value + parameters.reduce(0) { $0 + $1.penalty }
    }

    private func train(
        _ epochs: Int, _ validation: (x: Tensor, y: Tensor)?, _ earlyStopping: EarlyStopping?,
        _ onEpoch: (Epoch) -> Void, _ pass: () throws(RecurrentError) -> Double
    ) throws(RecurrentError) -> [Epoch] {
        try Argument.positive("epochs", epochs)
        if let validation { _ = try checkData(validation.x, validation.y) }
        return try transactional { () throws(RecurrentError) in
            var history: [Epoch] = []
            var watch = earlyStopping.map { EarlyStopping.Watch($0) }
            for number in 1...epochs {
                let loss = try pass()
                let validationLoss: Double? =
                    if let validation { try measuredLoss(validation.x, validation.y) } else { nil }
                let epoch = Epoch(number: number, loss: loss, validationLoss: validationLoss)
                history.append(epoch)
                onEpoch(epoch)
                if watch?.shouldStop(validationLoss ?? loss, parameters.map(\.values)) == true { break }
            }
            if let best = watch?.bestWeights {
                for (parameter, values) in zip(parameters, best) { parameter.values = values }
            }
            return history
        }
    }

    private func checkData(_ x: Tensor, _ y: Tensor) throws(RecurrentError) -> Int {
        try x.checkShape("input", [nil] + inputShape)
        let samples = x.shape[0]
        guard samples > 0 else {
            throw .argument(name: "input", expected: "at least one sample", actual: "none")
        }
        guard y.shape.first == samples else {
            throw .shape(what: "targets", expected: [samples] + (outputShapes.last ?? []), actual: y.shape)
        }
        try loss.check(outputs: [samples] + (outputShapes.last ?? []), targets: y.shape)
        try x.checkFinite("input")
        try y.checkFinite("targets")
        return samples
    }

    private func restore(_ states: [LSTM.State?]) {
        for (layer, state) in zip(layers, states) { (layer as? LSTM)?.state = state }
    }

    /// Runs `body`; if it throws, restores weights, states and optimizer.
    private func transactional<Result>(_ body: () throws(RecurrentError) -> Result) throws(RecurrentError) -> Result {
        let (values, states) = (parameters.map(\.values), layers.map { ($0 as? LSTM)?.state })
        let (optimizer, random) = (self.optimizer, self.random)
        do { return try body() } catch {
            for (parameter, before) in zip(parameters, values) { parameter.values = before }
            restore(states)
            (self.optimizer, self.random) = (optimizer, random)
            throw error
        }
    }
}
