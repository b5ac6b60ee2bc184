import Recurrent
import Testing

@Suite("Initial weights and dropout")
struct RandomTests {
    private func weights(_ layer: LSTM, inputs: Int, seed: UInt64 = 11) throws -> [Tensor] {
        var random = RandomSource(seed: seed)
        _ = try layer.build([nil, inputs], &random)
        return layer.weights
    }

    private func mean(_ values: [Float]) -> Double { values.reduce(0) { $0 + Double($1) } / Double(values.count) }
    private func variance(_ values: [Float]) -> Double {
        let mean = mean(values)
        return values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(values.count)
    }

    @Test("Glorot uniform spans the whole fused kernel: ±√(6/(inputs + 4·units))")
    func glorot() throws {
        let kernel = try weights(LSTM(64), inputs: 50)[0].values
        let limit = (6.0 / (50 + 256)).squareRoot()
        #expect(kernel.allSatisfy { Double($0.magnitude) <= limit })
        #expect(Double(kernel.map(\.magnitude).max() ?? 0) > 0.99 * limit)
        #expect(mean(kernel).magnitude < 0.03 * limit)
        #expect((variance(kernel) / (limit * limit / 3) - 1).magnitude < 0.04)
    }

    @Test("the other initializers have their limits, means and deviations")
    func others() throws {
        let (inputs, outputs) = (50.0, 256.0)
        let expected: [(Initializer, mean: Double, variance: Double)] = [
            (.glorotNormal, 0, 2 / (inputs + outputs)), (.heUniform, 0, 2 / inputs), (.heNormal, 0, 2 / inputs),
            (.lecunUniform, 0, 1 / inputs), (.lecunNormal, 0, 1 / inputs),
            (.randomNormal(mean: 1, deviation: 0.5), 1, 0.25),
            (.randomUniform(from: 0, to: 1), 0.5, 1.0 / 12), (.truncatedNormal(mean: 0, deviation: 1), 0, 0.774),
            (.ones, 1, 0), (.zeros, 0, 0), (.constant(3), 3, 0),
        ]
        for (initializer, expectedMean, expectedVariance) in expected {
            let kernel = try weights(LSTM(64, kernelInitializer: initializer), inputs: 50)[0].values
            let deviation = max(expectedVariance.squareRoot(), 1e-9)
            #expect((mean(kernel) - expectedMean).magnitude < 0.05 * deviation, "\(initializer)")
            #expect((variance(kernel) - expectedVariance).magnitude <= 0.05 * expectedVariance, "\(initializer)")
        }
        let identity = try weights(LSTM(2, recurrentInitializer: .identity(gain: 2)), inputs: 1)[1].values
        #expect(identity == [2, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0])
    }

    @Test(
        "the orthogonal initializer has orthonormal rows over [units, 4·units], with signs both ways",
        arguments: [1, 10, 33])
    func orthogonal(_ units: Int) throws {
        let recurrent = try weights(LSTM(units), inputs: 4)[1].values
        let columns = 4 * units
        for a in 0..<units {
            for b in 0..<units {
                let dot = (0..<columns).reduce(0.0) {
                    $0 + Double(recurrent[a * columns + $1]) * Double(recurrent[b * columns + $1])
                }
                #expect((dot - (a == b ? 1 : 0)).magnitude < 1e-6)
            }
        }
        if units == 33 {
            #expect(mean(recurrent).magnitude < 0.01)
            #expect((variance(recurrent) * Double(columns) - 1).magnitude < 1e-3)
        }
    }

    @Test("unitForgetBias writes ones into the forget gate and leaves the initializer's values elsewhere")
    func forgetBias() throws {
        let bias = try weights(LSTM(2, biasInitializer: .constant(0.5)), inputs: 1)[2].values
        #expect(bias == [0.5, 0.5, 1, 1, 0.5, 0.5, 0.5, 0.5])
        let plain = try weights(LSTM(2, biasInitializer: .constant(0.5), unitForgetBias: false), inputs: 1)[2].values
        #expect(plain == [Float](repeating: 0.5, count: 8))
        #expect(try weights(LSTM(2, useBias: false), inputs: 1).count == 2)
    }

    @Test("normal numbers have the moments of a normal distribution")
    func normal() {
        var random = RandomSource(seed: 3)
        let values = (0..<200_000).map { _ in random.normal() }
        #expect(mean(values).magnitude < 0.01)
        #expect((variance(values) - 1).magnitude < 0.01)
        let fourth = values.reduce(0.0) { $0 + Double($1 * $1 * $1 * $1) } / Double(values.count)
        #expect((fourth - 3).magnitude < 0.08)
        #expect((Double(values.count { $0.magnitude > 1.96 }) / 200_000 - 0.05).magnitude < 0.003)
    }

    // MARK: Dropout

    /// A layer whose h after one step from zero is a known, increasing function of the summed input: gates wide open.
    private func open(_ rate: Float, implementation: Int, units: Int = 1, seed: UInt64 = 3) throws -> LSTM {
        let layer = try LSTM(
            units, activation: .linear, recurrentActivation: .linear, biasInitializer: .zeros, unitForgetBias: false,
            dropout: rate, implementation: implementation, returnSequences: true, seed: seed)
        var random = RandomSource(seed: seed)
        _ = try layer.build([nil, 1], &random)
        return layer
    }

    /// Which masks each of many samples drew, read off the gradients of the kernel: gate g's is x·mask.
    private func drawn(_ rate: Float, implementation: Int, samples: Int) throws -> [[Float]] {
        let layer = try open(rate, implementation: implementation)
        try layer.setWeights([
            Tensor(shape: [1, 4], values: [0, 0, 0, 0]), Tensor(shape: [1, 4], values: [0, 0, 0, 0]),
            Tensor(shape: [4], values: [1, 1, 1, 1]),
        ])
        let one = try Tensor(shape: [1, 1, 1], values: [1])
        return try (0..<samples).map { _ in
            _ = try layer(one, training: true)
            _ = try layer.backward(one, wantsInputGradient: false)
            // c0 = 0, so nothing reaches the forget gate.
            let gradient = layer.parameters[0].gradient
            return [gradient[0], gradient[2], gradient[3]]
        }
    }

    @Test("dropout drops the given part, scales the rest up, and draws one mask per gate or one for all")
    func dropoutRates() throws {
        let each = try drawn(0.3, implementation: 1, samples: 4_000)
        for gate in 0..<3 {
            let part = Double(each.count { $0[gate] == 0 }) / 4_000
            #expect((part - 0.3).magnitude < 0.03)
            #expect(each.allSatisfy { $0[gate] == 0 || ($0[gate] - 1 / 0.7).magnitude < 1e-5 })
        }
        let differ = Double(each.count { ($0[0] == 0) != ($0[1] == 0) }) / 4_000
        #expect((differ - 2 * 0.3 * 0.7).magnitude < 0.03)
        let shared = try drawn(0.3, implementation: 2, samples: 1_000)
        #expect(shared.allSatisfy { $0[0] == $0[1] && $0[1] == $0[2] })
        #expect((Double(shared.count { $0[0] == 0 }) / 1_000 - 0.3).magnitude < 0.06)
    }

    @Test("masks are constant over time, drawn anew per call, repeatable with a seed, and off outside training")
    func dropoutInTime() throws {
        let x = try Tensor(shape: [1, 6, 1], values: [1, 1, 1, 1, 1, 1])
        let layer = try open(0.5, implementation: 2)
        // h = i·g·o with open gates 1 and f = 0: the same at each step if the mask is.
        let weights = [
            try Tensor(shape: [1, 4], values: [0, 0, 1, 0]), try Tensor(shape: [1, 4], values: [0, 0, 0, 0]),
            try Tensor(shape: [4], values: [1, 0, 0, 1]),
        ]
        try layer.setWeights(weights)
        let calls = try (0..<40).map { _ in try layer(x, training: true).y.values }
        #expect(calls.allSatisfy { Set($0).count == 1 })
        #expect(Set(calls.map { $0[0] }) == [0, 2])
        let again = try open(0.5, implementation: 2)
        try again.setWeights(weights)
        #expect(try (0..<40).map { _ in try again(x, training: true).y.values } == calls)
        #expect(try layer(x).y.values == [1, 1, 1, 1, 1, 1])
    }

    @Test("recurrent dropout is drawn once per call too, and its gradient is that of the dropped function")
    func recurrentDropout() throws {
        for implementation in [1, 2] {
            func layer() throws -> LSTM {
                let layer = try LSTM(
                    6, recurrentActivation: .sigmoid, dropout: 0.3, recurrentDropout: 0.4,
                    implementation: implementation, seed: 9)
                var random = RandomSource(seed: 9)
                _ = try layer.build([nil, 3], &random)
                return layer
            }
            var numbers = Numbers(seed: 12)
            let (x, direction) = (try numbers.tensor(2, 5, 3), try numbers.tensor(2, 6))
            let subject = try layer()
            _ = try subject(x, training: true)
            let input = try #require(try subject.backward(direction, wantsInputGradient: true))
            func loss(_ change: Float, _ tensor: Int, _ place: Int, _ x: Tensor) throws -> Double {
                let changed = try layer()
                var weights = changed.weights
                var values = weights[tensor].values
                values[place] += change
                weights[tensor] = try Tensor(shape: weights[tensor].shape, values: values)
                try changed.setWeights(weights)
                let y = try changed(x, training: true).y
                return zip(y.values, direction.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
            }
            for tensor in 0..<3 {
                for place in stride(from: 0, to: subject.parameters[tensor].values.count, by: 7) {
                    let difference = try loss(1e-2, tensor, place, x) - loss(-1e-2, tensor, place, x)
                    let found = Double(subject.parameters[tensor].gradient[place])
                    #expect((difference / 2e-2 - found).magnitude < 2e-3, "\(implementation) \(tensor) \(place)")
                }
            }
            for place in x.values.indices {
                func shifted(_ by: Float) throws -> Tensor {
                    var values = x.values
                    values[place] += by
                    return try Tensor(shape: x.shape, values: values)
                }
                let difference = try loss(0, 0, 0, shifted(1e-2)) - loss(0, 0, 0, shifted(-1e-2))
                #expect((difference / 2e-2 - Double(input.values[place])).magnitude < 2e-3)
            }
        }
    }

    @Test("the dropout layer keeps the mean, and lets gradients through where it let values through")
    func dropoutLayer() throws {
        let layer = try Dropout(0.25, seed: 4)
        let x = try Tensor(shape: [100, 100], values: [Float](repeating: 2, count: 10_000))
        let y = layer.forward(x, mask: nil, training: true)
        #expect((mean(y.values) - 2).magnitude < 0.05)
        #expect(Set(y.values) == [0, 2 / 0.75])
        let gradient = try #require(try layer.backward(x, wantsInputGradient: true))
        #expect(gradient == y)
        #expect(layer.forward(x, mask: nil, training: false) == x)
        #expect(throws: RecurrentError.self) { try Dropout(1) }
    }
}
