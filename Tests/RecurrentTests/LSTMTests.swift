import Recurrent
import Testing

#if canImport(Glibc)
    import Glibc
#endif

@Suite("The LSTM layer")
struct LSTMTests {
    private func weights(_ inputs: Int, _ units: Int) throws -> LSTMWeights {
        var random = RandomSource(seed: 7)
        return try LSTMWeights(inputs: inputs, units: units, &random)
    }

    private func random(_ count: Int, seed: UInt64) -> [Float] {
        var random = RandomSource(seed: seed)
        return (0..<count).map { _ in random.uniform(limit: 2) }
    }

    /// Keras' cell in plain Double arithmetic: gates i f c o.
    private func reference(_ w: LSTMWeights, _ x: [Float], h: [Double], c: [Double]) -> (h: [Double], c: [Double]) {
        let units = w.units
        func sum(_ column: Int) -> Double {
            let input = (0..<w.inputs).reduce(Double(w.bias[column])) {
                $0 + Double(x[$1] * w.kernel[$1 * 4 * units + column])
            }
            return (0..<units).reduce(input) { $0 + h[$1] * Double(w.recurrentKernel[$1 * 4 * units + column]) }
        }
        func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
        var (newH, newC) = (h, c)
        for unit in 0..<units {
            let (i, f) = (sigmoid(sum(unit)), sigmoid(sum(units + unit)))
            let (g, o) = (tanh(sum(2 * units + unit)), sigmoid(sum(3 * units + unit)))
            newC[unit] = f * c[unit] + i * g
            newH[unit] = o * tanh(newC[unit])
        }
        return (newH, newC)
    }

    private func run(_ layer: LSTM, _ x: [Float], rows: Int, h: inout [Float], c: inout [Float]) {
        x.withUnsafeBufferPointer { x in
            h.withUnsafeMutableBufferPointer { h in
                c.withUnsafeMutableBufferPointer { c in
                    guard let x = x.baseAddress, let h = h.baseAddress, let c = c.baseAddress else { return }
                    layer.step(rows: rows, x: x, xStride: layer.inputs, h: h, c: c, stride: layer.units)
                }
            }
        }
    }

    @Test("one step is Keras' cell, for any number of units", arguments: [1, 3, 8, 13, 16, 32, 50, 64])
    func known(_ units: Int) throws {
        let w = try weights(5, units)
        let layer = LSTM(w)
        var (h, c) = ([Float](repeating: 0, count: units), [Float](repeating: 0, count: units))
        var (expectedH, expectedC) = (h.map { Double($0) }, c.map { Double($0) })
        for step in 0..<6 {
            let x = random(5, seed: UInt64(step))
            run(layer, x, rows: 1, h: &h, c: &c)
            (expectedH, expectedC) = reference(w, x, h: expectedH, c: expectedC)
            for unit in 0..<units {
                #expect(abs(Double(h[unit]) - expectedH[unit]) < 2e-6)
                #expect(abs(Double(c[unit]) - expectedC[unit]) < 2e-6)
            }
        }
    }

    @Test("a row gives the same bits alone and in a batch, on every set of kernels of equal arithmetic")
    func bits() throws {
        let (rows, inputs, units) = (37, 7, 29)
        let w = try weights(inputs, units)
        let x = random(rows * inputs, seed: 3)
        let (h0, c0) = (random(rows * units, seed: 4), random(rows * units, seed: 5))
        var (h, c) = (h0, c0)
        run(LSTM(w), x, rows: rows, h: &h, c: &c)
        for name in ["avx512", "avx2", "neon", "sse2"] {
            guard let kernels = Kernels(named: name), kernels.arithmetic == Kernels.best.arithmetic else { continue }
            let layer = LSTM(w, kernels: kernels)
            for row in 0..<rows {
                var alone = Array(h0[row * units..<(row + 1) * units])
                var cell = Array(c0[row * units..<(row + 1) * units])
                run(layer, Array(x[row * inputs..<(row + 1) * inputs]), rows: 1, h: &alone, c: &cell)
                #expect(alone.map(\.bitPattern) == h[row * units..<(row + 1) * units].map(\.bitPattern))
                #expect(cell.map(\.bitPattern) == c[row * units..<(row + 1) * units].map(\.bitPattern))
            }
        }
    }

    @Test(
        "gradients agree with differences, for every tensor",
        arguments: [RecurrentActivation.sigmoid, .hardSigmoidKeras2])
    func gradients(_ activation: RecurrentActivation) throws {
        let (timesteps, batch, inputs, units) = (5, 3, 4, 6)
        let w = try weights(inputs, units)
        let x = random(timesteps * batch * inputs, seed: 8).map { $0 * 0.5 }
        let (h, c) = (random(batch * units, seed: 9).map { $0 * 0.2 }, random(batch * units, seed: 10).map { $0 * 0.2 })
        let direction = random(timesteps * batch * units, seed: 11)
        func loss(_ w: LSTMWeights, _ x: [Float]) throws -> Double {
            let tape = LSTMTape(w, recurrentActivation: activation, timesteps: timesteps, batch: batch)
            try tape.forward(x, h: h, c: c)
            return zip(tape.outputs, direction).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        let tape = LSTMTape(w, recurrentActivation: activation, timesteps: timesteps, batch: batch)
        try tape.forward(x, h: h, c: c)
        let found = try tape.backward(direction)
        func check(_ path: WritableKeyPath<LSTMWeights, [Float]>, _ gradient: [Float]) throws {
            for place in gradient.indices {
                var (up, down) = (w, w)
                up[keyPath: path][place] += 1e-2
                down[keyPath: path][place] -= 1e-2
                let difference = try (loss(up, x) - loss(down, x)) / 2e-2
                #expect(abs(difference - Double(gradient[place])) < 5e-3 * (1 + abs(difference)))
            }
        }
        try check(\.kernel, found.kernel)
        try check(\.recurrentKernel, found.recurrentKernel)
        try check(\.bias, found.bias)
        for place in x.indices {
            var (up, down) = (x, x)
            up[place] += 1e-2
            down[place] -= 1e-2
            let difference = try (loss(w, up) - loss(w, down)) / 2e-2
            #expect(abs(difference - Double(found.input[place])) < 5e-3 * (1 + abs(difference)))
        }
    }

    @Test("elementary functions are good to a few units in the last place")
    func elementary() {
        let x = (-400...400).map { Float($0) / 40 }
        for (found, exact) in [
            (Kernels.best.tanh(x), x.map { tanh(Double($0)) }), (Kernels.best.exp(x), x.map { exp(Double($0)) }),
            (Kernels.best.sigmoid(x), x.map { 1 / (1 + exp(-Double($0))) }),
            (Kernels.best.sin2pi(x), x.map { sin(2 * .pi * Double($0)) }),
        ] {
            for (value, truth) in zip(found, exact) { #expect(abs(Double(value) - truth) <= 4e-7 * abs(truth) + 3e-7) }
        }
        #expect(Kernels.best.tanh([.nan])[0].isNaN)
    }

    @Test("the orthogonal initializer has orthonormal rows, and the forget gate's bias is one")
    func initializers() throws {
        let w = try weights(4, 10)
        for a in 0..<10 {
            for b in 0..<10 {
                let dot = (0..<40).reduce(Float(0)) {
                    $0 + w.recurrentKernel[a * 40 + $1] * w.recurrentKernel[b * 40 + $1]
                }
                #expect(abs(dot - (a == b ? 1 : 0)) < 1e-5)
            }
        }
        #expect(
            w.bias == [Float](repeating: 0, count: 10) + [Float](repeating: 1, count: 10)
                + [Float](repeating: 0, count: 20))
        #expect(throws: RecurrentError.self) { _ = try self.weights(0, 4) }
    }

    @Test("a safetensors file reads back the same; NaN, wrong shapes and garbage are refused")
    func weightsFile() throws {
        let file = Safetensors(["a": .init(shape: [2, 2], values: [1, 2, 3, 4]), "b": .init(shape: [1], values: [5])])
        let bytes = try file.encoded()
        let again = try Safetensors(decoding: bytes)
        #expect(again == file)
        #expect(throws: RecurrentError.shape(what: "a", expected: [4], actual: [2, 2])) {
            try file.values("a", shape: [4])
        }
        let broken = try Safetensors(["a": .init(shape: [1], values: [.nan])]).encoded()
        #expect(throws: RecurrentError.notFinite(tensor: "a")) { try Safetensors(decoding: broken) }
        for cut in 0..<bytes.count {
            #expect(throws: RecurrentError.self) { _ = try Safetensors(decoding: Array(bytes.prefix(cut))) }
        }
    }
}
