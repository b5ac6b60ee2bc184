internal import CRecurrentKernels

/// The forward pass of one LSTM layer over a chunk of time, kept so that gradients can flow back through it.
///
/// All arrays are time-major: `[timesteps, batch, …]`. The state enters from outside and no gradient leaves through it:
/// truncated back-propagation as Keras' `stateful=True` trains.
public final class LSTMTape {
    /// Gradients, in the layout of ``LSTMWeights``.
    public struct Gradients {
        public var kernel: [Float]
        public var recurrentKernel: [Float]
        public var bias: [Float]
        /// `[timesteps, batch, inputs]`.
        public var input: [Float]
    }

    public let timesteps: Int
    public let batch: Int
    private let layer: LSTM
    private let weights: LSTMWeights
    private var x: [Float] = []
    private var gates: [Float]
    private var h: [Float]
    private var c: [Float]
    private var tanhC: [Float]

    public init(_ weights: LSTMWeights, recurrentActivation: RecurrentActivation = .sigmoid, timesteps: Int, batch: Int)
    {
        (self.weights, self.timesteps, self.batch) = (weights, timesteps, batch)
        layer = LSTM(weights, recurrentActivation: recurrentActivation)
        let states = batch * weights.units
        gates = [Float](repeating: 0, count: timesteps * 4 * states)
        tanhC = [Float](repeating: 0, count: timesteps * states)
        h = [Float](repeating: 0, count: (timesteps + 1) * states)
        c = h
    }

    /// The hidden states after every step, `[timesteps, batch, units]`.
    public var outputs: ArraySlice<Float> { h[(batch * weights.units)...] }
    /// The states after the last step, `[batch, units]` each.
    public var finalState: (h: [Float], c: [Float]) {
        (Array(h.suffix(batch * weights.units)), Array(c.suffix(batch * weights.units)))
    }

    /// Runs the layer over `x`, `[timesteps, batch, inputs]`, from the state `h`, `c`, `[batch, units]` each.
    public func forward(_ x: [Float], h: [Float], c: [Float]) throws(RecurrentError) {
        let states = batch * weights.units
        try check("input", x, [timesteps, batch, weights.inputs])
        try check("h", h, [batch, weights.units])
        try check("c", c, [batch, weights.units])
        self.x = x
        self.h.replaceSubrange(0..<states, with: h)
        self.c.replaceSubrange(0..<states, with: c)
        for time in 0..<timesteps { step(time, states) }
    }

    private func check(_ what: String, _ array: [Float], _ shape: [Int]) throws(RecurrentError) {
        guard array.count == shape.reduce(1, *) else {
            throw .shape(what: what, expected: shape, actual: [array.count])
        }
    }

    private func step(_ time: Int, _ states: Int) {
        let (units, inputs) = (weights.units, weights.inputs)
        withBuffers { x, gates, h, c, tanhC in
            let z = gates + time * 4 * states
            let (before, after) = (time * states, (time + 1) * states)
            layer.gates(rows: batch, x: x + time * batch * inputs, xStride: inputs, h: h + before, hStride: units, z: z)
            (c + after).update(from: c + before, count: states)
            layer.kernels.table.pointee.cell(
                batch, units, layer.activation.rawValue, z, c + after, units, h + after, units, tanhC + time * states)
        }
    }

    private func withBuffers(
        _ body: (
            UnsafePointer<Float>, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>,
            UnsafeMutablePointer<Float>
        ) -> Void
    ) {
        x.withUnsafeBufferPointer { x in
            gates.withUnsafeMutableBufferPointer { gates in
                h.withUnsafeMutableBufferPointer { h in
                    c.withUnsafeMutableBufferPointer { c in
                        tanhC.withUnsafeMutableBufferPointer { t in
                            guard let x = x.baseAddress, let g = gates.baseAddress, let h = h.baseAddress,
                                let c = c.baseAddress, let t = t.baseAddress
                            else { return }
                            body(x, g, h, c, t)
                        }
                    }
                }
            }
        }
    }

    /// The gradients of a loss whose derivative by the outputs is `outputGradient`, `[timesteps, batch, units]`.
    ///
    /// Uses the tape up: the kept gates are replaced by their derivatives.
    public func backward(_ outputGradient: [Float]) throws(RecurrentError) -> Gradients {
        let (units, inputs) = (weights.units, weights.inputs)
        try check("outputGradient", outputGradient, [timesteps, batch, units])
        let recurrentBack = transposed(weights.recurrentKernel, rows: units)
        var dh = [Float](repeating: 0, count: batch * units)
        var dc = dh
        for time in (0..<timesteps).reversed() {
            let start = time * batch * units
            for place in dh.indices { dh[place] += outputGradient[start + place] }
            gateGradients(time, dh, &dc)
            dh = recurrentBack.apply(gates, at: time * 4 * batch * units, rows: batch)
        }
        var gradients = Gradients(
            kernel: [Float](repeating: 0, count: inputs * 4 * units),
            recurrentKernel: [Float](repeating: 0, count: units * 4 * units),
            bias: [Float](repeating: 0, count: 4 * units), input: [])
        let rows = timesteps * batch
        layer.kernels.accumulate(x, gates, rows: rows, inputs: inputs, columns: 4 * units, into: &gradients.kernel)
        layer.kernels.accumulate(
            h, gates, rows: rows, inputs: units, columns: 4 * units, into: &gradients.recurrentKernel)
        layer.kernels.accumulate(
            [Float](repeating: 1, count: rows), gates, rows: rows, inputs: 1, columns: 4 * units, into: &gradients.bias)
        gradients.input = transposed(weights.kernel, rows: inputs).apply(gates, at: 0, rows: rows)
        return gradients
    }

    private func transposed(_ kernel: [Float], rows: Int) -> TransposedKernel {
        TransposedKernel(kernel, rows: rows, columns: 4 * weights.units, kernels: layer.kernels)
    }

    /// Replaces the activated gates of `time` by the derivatives of the loss by their sums, and `dc` by that of the
    /// cell state one step earlier.
    private func gateGradients(_ time: Int, _ dh: [Float], _ dc: inout [Float]) {
        let units = weights.units
        let activation = layer.activation
        for row in 0..<batch {
            let z = (time * batch + row) * 4 * units
            for unit in 0..<units {
                let place = row * units + unit
                let (i, f) = (gates[z + unit], gates[z + units + unit])
                let (g, o) = (gates[z + 2 * units + unit], gates[z + 3 * units + unit])
                let t = tanhC[time * batch * units + place]
                let before = c[time * batch * units + place]
                let dCell = dc[place] + dh[place] * o * (1 - t * t)
                gates[z + unit] = dCell * g * activation.derivative(i)
                gates[z + units + unit] = dCell * before * activation.derivative(f)
                gates[z + 2 * units + unit] = dCell * i * (1 - g * g)
                gates[z + 3 * units + unit] = dh[place] * t * activation.derivative(o)
                dc[place] = dCell * f
            }
        }
    }
}
