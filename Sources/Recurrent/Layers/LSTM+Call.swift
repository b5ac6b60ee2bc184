extension LSTM {
    /// Runs the layer on `x`, `[batch, timesteps, inputs]`; the first call creates the weights.
    ///
    /// The initial states are `initialState`, or else the stored ones of a stateful layer, or else zero. A stateful
    /// layer stores the final states after every call, training or not; no gradient crosses calls.
    ///
    /// - Parameters:
    ///   - x: the input, `[batch, timesteps, inputs]`.
    ///   - mask: `[batch, timesteps]`, false where a timestep is padding.
    ///   - initialState: `h` and `c`, `[batch, units]` each.
    ///   - training: draws dropout masks and saves what ``backward(_:wantsInputGradient:)`` needs.
    /// - Throws: ``RecurrentError``; weights and stored states are then unchanged.
    public func callAsFunction(
        _ x: Tensor, mask: Mask? = nil, initialState: State? = nil, training: Bool = false
    ) throws(RecurrentError) -> Output {
        try x.checkFinite("\(name): input")
        return try run(x, mask, initialState, training)
    }

    public func forward(_ input: Tensor, mask: Mask?, training: Bool) throws(RecurrentError) -> Tensor {
        try run(input, mask, nil, training).y
    }

    private func run(
        _ x: Tensor, _ mask: Mask?, _ initialState: State?, _ training: Bool
    ) throws(RecurrentError) -> Output {
        try x.checkShape("\(name): input", [nil, nil, inputs])
        let (batch, timesteps) = (x.shape[0], x.shape[1])
        guard batch > 0, timesteps > 0 else {
            throw .argument(name: "\(name): input", expected: "at least one sample and timestep", actual: "\(x.shape)")
        }
        let start = try self.start(batch, initialState)
        if let mask, mask.batch != batch || mask.timesteps != timesteps {
            throw .shape(what: "\(name): mask", expected: [batch, timesteps], actual: [mask.batch, mask.timesteps])
        }
        if inputs == nil { _ = try build([timesteps, x.shape[2]], &random) }
        var (h, c) = (start.h.values, start.c.values)
        let shape = returnSequences ? [batch, timesteps, units] : [batch, units]
        let masks = training ? dropoutMasks(batch, x.shape[2]) : nil
        let tape = prepared(masks)
        let pass = LSTMPass(
            batch: batch, timesteps: timesteps, goBackwards: goBackwards, returnSequences: returnSequences,
            zeroOutputForMask: zeroOutputForMask, mask: mask, dropout: masks, isKept: training)
        // Every step writes its part of the output, so it needs no initialization.
        let y = Tensor(shape) { y in
            x.values.withUnsafeBufferPointer { x in
                guard let x = x.baseAddress, let to = y.baseAddress else { return y.initialize(repeating: 0) }
                tape.forward(pass, x, h: &h, c: &c, y: to)
            }
        }
        return makeOutput(y, State(h: Tensor([batch, units], h), c: Tensor([batch, units], c)), training)
    }

    /// The initial states of a call.
    private func start(_ batch: Int, _ initialState: State?) throws(RecurrentError) -> State {
        if let state, stateful, state.h.shape[0] != batch {
            throw .batchSize(layer: name, expected: state.h.shape[0], actual: batch)
        }
        if let initialState {
            try check(initialState, batch: batch)
            return initialState
        }
        if stateful, let state { return state }
        return State(h: Tensor(zeros: [batch, units]), c: Tensor(zeros: [batch, units]))
    }

    private func dropoutMasks(_ batch: Int, _ inputs: Int) -> DropoutMasks? {
        guard dropout > 0 || recurrentDropout > 0 else { return nil }
        return DropoutMasks(
            batch: batch, inputs: inputs, units: units, rate: dropout, recurrentRate: recurrentDropout,
            implementation: implementation, &dropoutSource)
    }

    /// The tape for a pass with these masks, its cell packed with the current weights.
    private func prepared(_ masks: DropoutMasks?) -> LSTMTape {
        let perGate = (
            inputs: masks?.inputs != nil && implementation == 1, hidden: masks?.hidden != nil && implementation == 1
        )
        var packing =
            self.packing.flatMap { $0.cell.perGate == perGate ? $0 : nil }
            ?? LSTMPacking(
                PackedCell(
                    inputs: inputs ?? 0, units: units, activation: activation, recurrentActivation: recurrentActivation,
                    perGate: perGate, kernels: kernels))
        packing.updateForward(parameters)
        self.packing = packing
        if let tape, tape.cell === packing.cell { return tape }
        let tape = LSTMTape(packing.cell)
        self.tape = tape
        return tape
    }

    private func makeOutput(_ y: Tensor, _ state: State, _ training: Bool) -> Output {
        if stateful { self.state = state }
        isDifferentiable = training
        activityPenalty = 0
        if training, let activity = regularizers.activity {
            var unused = [Float](repeating: 0, count: y.values.count)
            activityPenalty = activity.add(y.values, width: units, scale: 1 / Float(y.shape[0]), to: &unused)
            lastOutput = y
        }
        return Output(y: y, state: returnState ? state : nil)
    }

    // MARK: Gradients

    /// Backpropagates the derivative of a loss with respect to the last output.
    ///
    /// Sets the gradients of the parameters, and returns the gradient of the input, `[batch, timesteps, inputs]`, if it
    /// is wanted. No gradient flows into the initial states: truncated backpropagation through time, as Keras trains
    /// `stateful=True`.
    public func backward(_ gradient: Tensor, wantsInputGradient: Bool) throws(RecurrentError) -> Tensor? {
        guard isDifferentiable, let tape, var packing, let inputs else { throw .nothingToDifferentiate(layer: name) }
        let pass = tape.pass
        try gradient.checkShape(
            "\(name): output gradient", returnSequences ? [pass.batch, pass.timesteps, units] : [pass.batch, units])
        packing.updateBackward(parameters)
        self.packing = packing
        packing.kernelGradient.clear()
        packing.biasGradient.clear()
        // Every step writes its part of the gradient, so it needs no initialization.
        let dX = Tensor(wantsInputGradient ? [pass.batch, pass.timesteps, inputs] : [0]) { dX in
            withActivityGradient(gradient).values.withUnsafeBufferPointer { dY in
                guard let dY = dY.baseAddress else { return dX.initialize(repeating: 0) }
                tape.backward(
                    LSTMTape.Backward(
                        recurrentBack: packing.recurrentBack, inputBack: wantsInputGradient ? packing.inputBack : nil,
                        kernel: packing.kernelGradient, bias: packing.biasGradient),
                    dY, dX: wantsInputGradient ? dX.baseAddress : nil)
            }
        }
        packing.unpack(to: parameters)
        isDifferentiable = false
        return wantsInputGradient ? dX : nil
    }

    private func withActivityGradient(_ gradient: Tensor) -> Tensor {
        guard let activity = regularizers.activity, let lastOutput else { return gradient }
        var values = gradient.values
        _ = activity.add(lastOutput.values, width: units, scale: 1 / Float(gradient.shape[0]), to: &values)
        return Tensor(gradient.shape, values)
    }
}
