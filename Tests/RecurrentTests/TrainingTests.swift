import Recurrent
import Testing

@Suite("Training")
struct TrainingTests {
    /// Streams of a wave with noise, and the next value as the target.
    private func waves(streams: Int, timesteps: Int) throws -> (x: Tensor, y: Tensor) {
        var random = RandomSource(seed: 6)
        var (x, y): ([Float], [Float]) = ([], [])
        for stream in 0..<streams {
            let wave = (0...timesteps).map { time -> Float in
                let phase = Float((time + 3 * stream) % 12) / 12
                return (phase < 0.5 ? phase : 1 - phase) * 4 - 1 + random.uniform(limit: 0.05)
            }
            x += wave.dropLast()
            y += wave.dropFirst()
        }
        let shape = [streams, timesteps, 1]
        return (try Tensor(shape: shape, values: x), try Tensor(shape: shape, values: y))
    }

    @Test("carried state: chunks of a stream train as the calls one after the other, and learn a wave")
    func carried() throws {
        let (x, y) = try waves(streams: 4, timesteps: 60)
        func model() throws -> Sequential {
            let model = try Sequential(
                [LSTM(12, recurrentActivation: .sigmoid, returnSequences: true, stateful: true), Dense(1)],
                inputShape: [nil, 1], seed: 2)
            model.compile(Optimizer(.adam(), learningRate: 0.01), loss: .meanSquaredError)
            return model
        }
        let (fitted, byHand) = (try model(), try model())
        let history = try fitted.fit(streams: x, y, chunk: 16, epochs: 3)
        for _ in 0..<3 {
            byHand.resetStates()
            for start in stride(from: 0, to: 60, by: 16) {
                let range = start..<min(start + 16, 60)
                _ = try byHand.trainOnBatch(x.slice(range), y.slice(range))
            }
        }
        #expect(fitted.weights.hash64 == byHand.weights.hash64)
        #expect(history.map(\.number) == [1, 2, 3])
        let loss = try #require(try fitted.fit(streams: x, y, chunk: 16, epochs: 60).last?.loss)
        #expect(loss < 0.02)
    }

    @Test("the carried state matters: without it the chunks start from zero")
    func carriedMatters() throws {
        let (x, y) = try waves(streams: 2, timesteps: 20)
        let layer = try LSTM(4, returnSequences: true, stateful: true)
        let model = try Sequential([layer, Dense(1)], inputShape: [nil, 1])
        try model.fit(streams: x, y, chunk: 5)
        let state = try #require(layer.state)
        #expect(state.h.values.contains { $0 != 0 })
        #expect(throws: RecurrentError.self) {
            try Sequential([LSTM(4), Dense(1)], inputShape: [nil, 1]).fit(streams: x, y, chunk: 5)
        }
    }

    @Test("pinball loss finds quantiles, the Gaussian one mean and variance")
    func losses() throws {
        let pinball = Loss.pinball(levels: [0.1, 0.9])
        let found = try pinball(
            Tensor(shape: [1, 4], values: [1, 3, 0, 0]), Tensor(shape: [1, 2], values: [2, -1]))
        #expect((found.value - (0.1 * 1 + 0.1 * 1 + 0.9 * 1 + 0.1 * 1) / 4).magnitude < 1e-6)
        expectClose(found.gradient.values, [-0.1 / 4, 0.1 / 4, 0.9 / 4, 0.1 / 4], within: 1e-7)
        #expect(throws: RecurrentError.self) {
            try pinball(Tensor(shape: [1, 3], values: [1, 2, 3]), Tensor(shape: [1, 2], values: [1, 2]))
        }
        for loss in [Loss.gaussianNLL, pinball, .huber(delta: 0.5), .meanSquaredError, .meanAbsoluteError] {
            var numbers = Numbers(seed: 14)
            let outputs = try numbers.tensor(3, 4)
            let targets = try numbers.tensor(3, 4 / loss.outputsPerTarget)
            let gradient = try loss(outputs, targets).gradient
            for place in outputs.values.indices {
                func moved(_ by: Float) throws -> Double {
                    var values = outputs.values
                    values[place] += by
                    return try loss(Tensor(shape: outputs.shape, values: values), targets).value
                }
                let difference = Float(try moved(1e-3) - moved(-1e-3)) / 2e-3
                #expect((difference - gradient.values[place]).magnitude < 1e-3, "\(loss) \(place)")
            }
        }
    }

    @Test("a cosine schedule rises linearly and falls to its floor, as Keras' CosineDecay")
    func schedule() {
        let rate = LearningRate.cosine(initial: 0.1, decaySteps: 10, alpha: 0.2, warmUp: .init(to: 1, steps: 4))
        let expected: [(Int, Float)] = [(0, 0.1), (2, 0.55), (4, 1), (9, 0.6), (14, 0.2), (100, 0.2)]
        for (step, value) in expected { #expect((rate.rate(at: step) - value).magnitude < 1e-6) }
        let plain = LearningRate.cosine(initial: 2, decaySteps: 4)
        #expect((plain.rate(at: 1) - 1.7071068).magnitude < 1e-6)
        #expect(LearningRate.constant(0.5).rate(at: 7) == 0.5)
    }

    @Test("early stopping ends after its patience and brings the best weights back")
    func earlyStopping() throws {
        var numbers = Numbers(seed: 15)
        let (x, y) = (try numbers.tensor(16, 3, 2), try numbers.tensor(16, 1))
        let model = try Sequential([LSTM(4), Dense(1)], inputShape: [3, 2], seed: 1)
        // A rate so large that the loss soon rises.
        model.compile(Optimizer(.adam(), learningRate: 0.5), loss: .meanSquaredError)
        var best: (loss: Double, hash: UInt64) = (.infinity, 0)
        let history = try model.fit(
            x, y, batchSize: 8, epochs: 200, validation: (x: numbers.tensor(8, 3, 2), y: numbers.tensor(8, 1)),
            earlyStopping: EarlyStopping(patience: 5)
        ) { epoch in
            if let loss = epoch.validationLoss, loss < best.loss { best = (loss, model.weights.hash64) }
        }
        let losses = history.compactMap(\.validationLoss)
        let bestEpoch = try #require(losses.indices.min { losses[$0] < losses[$1] })
        #expect(history.count == bestEpoch + 6 && history.count < 200)
        #expect(model.weights.hash64 == best.hash)
    }

    @Test("a patience of 0 stops at the first epoch that does not improve, not before")
    func noPatience() throws {
        var numbers = Numbers(seed: 17)
        let (x, y) = (try numbers.tensor(16, 3, 2), try numbers.tensor(16, 1))
        let model = try Sequential([LSTM(4), Dense(1)], inputShape: [3, 2], seed: 1)
        model.compile(Optimizer(.adam(), learningRate: 0.01), loss: .meanSquaredError)
        let history = try model.fit(
            x, y, batchSize: 16, epochs: 12, validation: (x: x, y: y), earlyStopping: EarlyStopping(patience: 0))
        let losses = history.compactMap(\.validationLoss)
        #expect(losses.count > 1)
        #expect(zip(losses, losses.dropFirst()).dropLast().allSatisfy { $1 < $0 })
    }

    @Test("data that do not fit, NaN, and divergence leave weights, states and optimizer as they were")
    func unchanged() throws {
        var numbers = Numbers(seed: 16)
        let lstm = try LSTM(4, activation: .exponential, stateful: true)
        let model = try Sequential([lstm, Dense(1)], inputShape: [nil, 2], seed: 1)
        model.compile(Optimizer(.sgd(momentum: 0.9), learningRate: 0.01), loss: .meanSquaredError)
        let (x, y) = (try numbers.tensor(4, 3, 2), try numbers.tensor(4, 1))
        _ = try model.trainOnBatch(x, y)
        let (weights, state) = (model.weights, lstm.state)
        let huge = try Tensor(shape: [4, 1], values: [1e30, 1, 1, 1])
        #expect(throws: RecurrentError.self) { try model.trainOnBatch(x, huge) }
        // The first batch of this fit is good, so weights have moved when the second one explodes.
        let twice = try Tensor(shape: [8, 3, 2], values: x.values + x.values)
        let late = try Tensor(shape: [8, 1], values: y.values + huge.values)
        #expect(throws: RecurrentError.self) { try model.fit(twice, late, batchSize: 4, shuffle: false) }
        #expect(throws: RecurrentError.notFinite(tensor: "targets")) {
            try model.trainOnBatch(x, Tensor(shape: [4, 1], values: [1, .nan, 1, 1]))
        }
        #expect(throws: RecurrentError.notFinite(tensor: "input")) {
            try model.fit(Tensor(shape: [1, 1, 2], values: [.infinity, 0]), Tensor(shape: [1, 1], values: [0]))
        }
        #expect(throws: RecurrentError.shape(what: "targets", expected: [4, 1], actual: [4, 2])) {
            try model.fit(x, numbers.tensor(4, 2))
        }
        #expect(throws: RecurrentError.batchSize(layer: "lstm", expected: 4, actual: 3)) {
            try model.fit(x, y, batchSize: 3)
        }
        #expect(throws: RecurrentError.self) { try model(numbers.tensor(4, 3, 3)) }
        #expect(throws: RecurrentError.self) { try model.fit(x, y, batchSize: 0) }
        #expect(model.weights == weights && lstm.state == state)
        let twin = try Sequential(
            [LSTM(4, activation: .exponential, stateful: true), Dense(1)], inputShape: [nil, 2], seed: 1)
        twin.compile(Optimizer(.sgd(momentum: 0.9), learningRate: 0.01), loss: .meanSquaredError)
        for _ in 0..<2 { _ = try twin.trainOnBatch(x, y) }
        _ = try model.trainOnBatch(x, y)
        #expect(model.weights.hash64 == twin.weights.hash64)
    }

    @Test("a sequence-to-sequence model with repeat vector and dropout trains, and its loss falls")
    func stack() throws {
        var numbers = Numbers(seed: 17)
        let model = try Sequential(
            [
                LSTM(8, recurrentActivation: .sigmoid), RepeatVector(3), Dropout(0.1),
                LSTM(8, recurrentActivation: .sigmoid, returnSequences: true), Dense(2),
            ], inputShape: [5, 2], seed: 4)
        model.compile(Optimizer(.rmsprop(), learningRate: 0.01), loss: .meanAbsoluteError)
        let (x, y) = (try numbers.tensor(12, 5, 2), try numbers.tensor(12, 3, 2))
        let history = try model.fit(x, y, batchSize: 4, epochs: 30)
        #expect(history[29].loss < 0.8 * history[0].loss)
        #expect(try model(x).shape == [12, 3, 2])
    }

    @Test("layers that do not fit each other are refused at once")
    func misfits() throws {
        #expect(throws: RecurrentError.self) { try Sequential([], inputShape: [nil, 1]) }
        #expect(throws: RecurrentError.self) { try Sequential([LSTM(2), LSTM(2)], inputShape: [nil, 1]) }
        #expect(throws: RecurrentError.self) { try Sequential([LSTM(2)], inputShape: [nil, nil]) }
        #expect(throws: RecurrentError.self) {
            try Sequential([LSTM(2, returnSequences: true), RepeatVector(2)], inputShape: [nil, 1])
        }
        let layer = try Dense(1)
        #expect(throws: RecurrentError.self) { try Sequential([layer, layer], inputShape: [1]) }
    }
}
