import Recurrent
import Testing

@Suite("The same bits")
struct DeterminismTests {
    /// The sets that promise equal bits.
    private var sets: [Kernels] { Kernels.available.filter { $0.arithmetic == Kernels.best.arithmetic } }

    @Test(
        "stepped alone, in a batch of 37, in 5 + 32, in the layer, and on every set",
        arguments: [
            (64, Activation.sigmoid), (29, .sigmoid), (32, .sigmoid), (8, .sigmoid), (520, .sigmoid),
            (16, .hardSigmoid), (33, .hardSigmoidKeras3), (21, .softsign),
        ])
    func stepping(_ units: Int, _ recurrent: Activation) throws {
        let (rows, inputs, timesteps) = (37, 5, 60)
        var numbers = Numbers(seed: 9)
        let x = try numbers.tensor(rows, timesteps, inputs, limit: 2)
        var expected: [UInt32]?
        for kernels in sets {
            let layer = try LSTM(
                units, recurrentActivation: recurrent, returnState: true, kernels: kernels
            ).built(inputs)
            let cell = try layer.cell()
            let state = try #require(try layer(x).state)
            let whole = state.h.bits + state.c.bits
            for groups in [Array(repeating: 1, count: rows), [37], [5, 32], [36, 1]] {
                #expect(try run(cell, x, groups: groups) == whole, "\(kernels.name) \(groups.count) groups")
            }
            #expect(expected ?? whole == whole, "\(kernels.name)")
            expected = whole
        }
    }

    /// h and c of every row after all timesteps, the rows stepped in groups.
    private func run(_ cell: LSTMCell, _ x: Tensor, groups: [Int]) throws -> [UInt32] {
        let (rows, timesteps, inputs) = (x.shape[0], x.shape[1], x.shape[2])
        var h = [Float](repeating: 0, count: rows * cell.units)
        var c = h
        for time in 0..<timesteps {
            var first = 0
            for count in groups {
                x.values.withUnsafeBufferPointer { x in
                    h.withUnsafeMutableBufferPointer { h in
                        c.withUnsafeMutableBufferPointer { c in
                            guard let x = x.baseAddress, let h = h.baseAddress, let c = c.baseAddress else { return }
                            cell.step(
                                rows: count, x: x + (first * timesteps + time) * inputs, xStride: timesteps * inputs,
                                h: h + first * cell.units, c: c + first * cell.units, stride: cell.units)
                        }
                    }
                }
                first += count
            }
        }
        return (h + c).map(\.bitPattern)
    }

    @Test("trained twice with a seed, and on every set")
    func training() throws {
        func trained(_ kernels: Kernels) throws -> UInt64 {
            var numbers = Numbers(seed: 4)
            let model = try Sequential(
                [
                    LSTM(21, dropout: 0.2, recurrentDropout: 0.1, returnSequences: true, kernels: kernels),
                    LSTM(16, recurrentActivation: .sigmoid, kernels: kernels), Dense(2, kernels: kernels),
                ], inputShape: [nil, 3], seed: 8)
            model.compile(
                Optimizer(.adamW(), learningRate: 0.01, clipping: .globalNorm(1), kernels: kernels), loss: .huber())
            try model.fit(numbers.tensor(19, 11, 3), numbers.tensor(19, 2), batchSize: 8, epochs: 3)
            return model.weights.hash64
        }
        let expected = try trained(.best)
        for kernels in sets { #expect(try trained(kernels) == expected, "\(kernels.name)") }
        #expect(try trained(.best) == expected)
    }

    @Test("elementary functions are good to 3 units in the last place, and pass NaN on", arguments: Kernels.available)
    func elementary(_ kernels: Kernels) throws {
        let x = (-3_500...3_500).map { Float($0) / 400 }
        let reference = Reference(try LSTM(1).built(1), inputs: 1)
        for activation in [Activation.tanh, .sigmoid] {
            for (value, x) in zip(kernels.apply(activation, to: x), x) {
                let exact = reference.value(activation, Double(x))
                #expect((Double(value) - exact).magnitude <= 3 * Double(Float(exact).ulp), "\(activation) of \(x)")
            }
            #expect(kernels.apply(activation, to: [.nan])[0].isNaN)
            #expect(
                kernels.apply(activation, to: [.infinity, -.infinity]) == [
                    1, activation == .tanh ? -1 : kernels.apply(.sigmoid, to: [-87])[0],
                ])
        }
    }

    @Test("every activation is Keras' to single precision", arguments: Activation.allCases, Kernels.available)
    func activations(_ activation: Activation, _ kernels: Kernels) throws {
        let x = (-400...400).map { Float($0) / 40 + 0.003 }
        let reference = Reference(try LSTM(1).built(1), inputs: 1)
        for (value, x) in zip(kernels.apply(activation, to: x), x) {
            let exact = reference.value(activation, Double(x))
            #expect((Double(value) - exact).magnitude <= 6e-7 * max(1, exact.magnitude), "\(activation) of \(x)")
        }
        #expect(kernels.apply(activation, to: [.nan])[0].isNaN)
    }
}
