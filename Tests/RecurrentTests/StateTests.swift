import Recurrent
import Testing

@Suite("States and masks")
struct StateTests {
    private static let cases: [(Activation, Bool)] = [(.sigmoid, false), (.hardSigmoid, true)]

    @Test("two calls of a stateful layer are one call on the concatenation", arguments: [true, false])
    func twoCalls(_ training: Bool) throws {
        var numbers = Numbers(seed: 1)
        let x = try numbers.tensor(3, 9, 2)
        let whole = try LSTM(7, returnSequences: true).built(2)
        let parts = try LSTM(7, returnSequences: true, stateful: true).built(2)
        let expected = try whole(x, training: training).y
        let first = try parts(x.slice(0..<4), training: training).y
        let second = try parts(x.slice(4..<9), training: training).y
        #expect(first.bits == (try expected.slice(0..<4)).bits)
        #expect(second.bits == (try expected.slice(4..<9)).bits)
    }

    @Test("a reset makes the next call the first one again; a layer that is not stateful always starts anew")
    func reset() throws {
        var numbers = Numbers(seed: 2)
        let x = try numbers.tensor(2, 5, 3)
        let layer = try LSTM(4, stateful: true).built(3)
        let (first, second) = (try layer(x).y, try layer(x).y)
        #expect(first != second)
        layer.resetStates()
        #expect(try layer(x).y.bits == first.bits)
        let other = try LSTM(4).built(3)
        #expect(try other(x).y.bits == other(x).y.bits)
    }

    @Test("states can be set, and an explicit initial state wins over the stored one")
    func explicit() throws {
        var numbers = Numbers(seed: 3)
        let (x, state) = (try numbers.tensor(2, 5, 3), try numbers.state(2, 4))
        let plain = try LSTM(4, returnState: true).built(3)
        let expected = try plain(x, initialState: state)
        let layer = try LSTM(4, stateful: true).built(3)
        try layer.resetStates(to: state)
        #expect(try layer(x).y.bits == expected.y.bits)
        #expect(layer.state == expected.state)
        _ = try layer(x)
        #expect(try layer(x, initialState: state).y.bits == expected.y.bits)
        #expect(layer.state == expected.state)
    }

    @Test("sample i goes on from sample i, whoever is beside it")
    func samples() throws {
        var numbers = Numbers(seed: 4)
        let (x, next) = (try numbers.tensor(4, 3, 2), try numbers.tensor(4, 6, 2))
        let together = try LSTM(5, stateful: true).built(2)
        _ = try together(x)
        let y = try together(next).y
        for sample in 0..<4 {
            let alone = try LSTM(5, stateful: true).built(2)
            _ = try alone(x.sample(sample))
            #expect(try alone(next.sample(sample)).y.bits == y.sample(sample).bits)
        }
    }

    @Test("a batch of another size is an error that says so, and the states are kept")
    func batchSize() throws {
        var numbers = Numbers(seed: 5)
        let x = try numbers.tensor(3, 4, 2)
        let layer = try LSTM(5, stateful: true).built(2)
        _ = try layer(x)
        let state = layer.state
        let error = RecurrentError.batchSize(layer: "lstm", expected: 3, actual: 2)
        #expect(throws: error) { try layer(numbers.tensor(2, 4, 2)) }
        #expect(error.description.contains("stateful with a batch of 3, found 2"))
        #expect(layer.state == state)
        layer.resetStates()
        _ = try layer(try numbers.tensor(2, 4, 2))
    }

    @Test("going backwards is going forward over reversed input and mask, outputs in processing order")
    func backwards() throws {
        var numbers = Numbers(seed: 6)
        let x = try numbers.tensor(1, 4, 2)
        let reversed = try Tensor(shape: [1, 4, 2], values: (0..<4).flatMap { x.values[(3 - $0) * 2..<(4 - $0) * 2] })
        let (forward, backward) = (
            try LSTM(3, returnSequences: true).built(2), try LSTM(3, returnSequences: true, goBackwards: true).built(2)
        )
        let mask = [true, false, true, false]
        #expect(try backward(x).y.bits == forward(reversed).y.bits)
        #expect(
            try backward(x, mask: Mask([mask])).y.bits == forward(reversed, mask: Mask([mask.reversed()])).y.bits)
    }

    @Test("left, right and mixed padding give what the unpadded sequence gives, forward and in gradients")
    func padding() throws {
        var numbers = Numbers(seed: 7)
        let x = try numbers.tensor(1, 4, 2)
        let layer = try LSTM(5, returnState: true).built(2)
        let one = try Tensor(shape: [1, 5], values: [1, -1, 2, 0.5, -0.25])
        let plain = try layer(x, training: true)
        _ = try layer.backward(one, wantsInputGradient: false)
        let gradients = layer.parameters.map(\.gradient)
        for places in [[3, 4, 5, 6], [0, 1, 2, 3], [0, 2, 5, 6]] {
            var (values, mask) = ([Float](repeating: 9, count: 14), [Bool](repeating: false, count: 7))
            for (step, place) in places.enumerated() {
                mask[place] = true
                (values[2 * place], values[2 * place + 1]) = (x.values[2 * step], x.values[2 * step + 1])
            }
            let padded = try layer(Tensor(shape: [1, 7, 2], values: values), mask: Mask([mask]), training: true)
            #expect(padded.y.bits == plain.y.bits)
            #expect(padded.state == plain.state)
            _ = try layer.backward(one, wantsInputGradient: false)
            for (found, expected) in zip(layer.parameters.map(\.gradient), gradients) {
                expectClose(found, expected, within: 1e-6)
            }
        }
    }

    @Test("a masked output repeats the previous one, at a first step the initial h; or it is zero if asked for")
    func maskedOutput() throws {
        var numbers = Numbers(seed: 8)
        let (x, state) = (try numbers.tensor(1, 3, 2), try numbers.state(1, 3))
        let mask = try Mask([[false, true, false]])
        let y = try LSTM(3, returnSequences: true).built(2)(x, mask: mask, initialState: state).y
        #expect(Array(y.values[0..<3]) == state.h.values)
        #expect(y.values[3..<6] == y.values[6..<9])
        let zeroed = try LSTM(3, returnSequences: true, zeroOutputForMask: true).built(2)
        let z = try zeroed(x, mask: mask, initialState: state).y
        #expect(Array(z.values) == [0, 0, 0] + y.values[3..<6] + [0, 0, 0])
    }

    @Test("unroll and implementation change no bit")
    func implementations() throws {
        var numbers = Numbers(seed: 9)
        let x = try numbers.tensor(2, 4, 3)
        let y = try LSTM(6).built(3)(x).y
        #expect(try LSTM(6, unroll: true).built(3)(x).y.bits == y.bits)
        #expect(try LSTM(6, implementation: 2).built(3)(x).y.bits == y.bits)
    }

    @Test("bad input is refused with what was expected, and nothing changes")
    func refused() throws {
        var numbers = Numbers(seed: 10)
        #expect(throws: RecurrentError.argument(name: "units", expected: "1 to 1048576", actual: "0")) { try LSTM(0) }
        for rate: Float in [-0.1, 1, .nan] {
            #expect(throws: RecurrentError.self) { try LSTM(1, dropout: rate) }
            #expect(throws: RecurrentError.self) { try LSTM(1, recurrentDropout: rate) }
        }
        #expect(throws: RecurrentError.self) { try LSTM(1, implementation: 3) }
        let layer = try LSTM(3, stateful: true).built(2)
        _ = try layer(try numbers.tensor(2, 4, 2))
        let (state, weights) = (layer.state, layer.weights)
        #expect(throws: RecurrentError.shape(what: "lstm: input", expected: [nil, nil, 2], actual: [2, 4, 3])) {
            try layer(numbers.tensor(2, 4, 3))
        }
        #expect(throws: RecurrentError.self) { try layer(numbers.tensor(2, 4)) }
        #expect(throws: RecurrentError.self) { try layer(Tensor(shape: [2, 0, 2], values: [])) }
        let broken = try Tensor(shape: [2, 1, 2], values: [1, .nan, 0, 0])
        #expect(throws: RecurrentError.notFinite(tensor: "lstm: input")) { try layer(broken) }
        #expect(throws: RecurrentError.shape(what: "lstm: mask", expected: [2, 4], actual: [2, 3])) {
            try layer(numbers.tensor(2, 4, 2), mask: Mask([[true, true, true], [true, true, true]]))
        }
        #expect(throws: RecurrentError.self) { try Mask([[true], [true, false]]) }
        #expect(throws: RecurrentError.shape(what: "lstm: h", expected: [2, 3], actual: [2, 4])) {
            try layer(numbers.tensor(2, 4, 2), initialState: numbers.state(2, 4))
        }
        #expect(throws: RecurrentError.self) { try layer.resetStates(to: numbers.state(2, 4)) }
        var tensors = layer.weights
        tensors[2] = try Tensor(shape: [12], values: [Float](repeating: .infinity, count: 12))
        #expect(throws: RecurrentError.notFinite(tensor: "lstm/bias")) { try layer.setWeights(tensors) }
        #expect(throws: RecurrentError.self) { try layer.setWeights(Array(tensors.prefix(2))) }
        #expect(throws: RecurrentError.self) { try Tensor(shape: [2, 2], values: [1]) }
        #expect(layer.state == state && layer.weights == weights)
        var (h, c): ([Float], [Float]) = ([1, 2, 3], [4, 5, 6])
        let cell = try layer.cell()
        #expect(throws: RecurrentError.notFinite(tensor: "x")) { try cell.step([1, .nan], h: &h, c: &c) }
        #expect(throws: RecurrentError.shape(what: "x", expected: [2], actual: [1])) {
            try cell.step([1], h: &h, c: &c)
        }
        #expect(h == [1, 2, 3] && c == [4, 5, 6])
        #expect(throws: RecurrentError.notBuilt(layer: "lstm")) { try LSTM(3).cell() }
    }
}
