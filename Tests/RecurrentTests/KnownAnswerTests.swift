import Recurrent
import SelfTest
import Testing

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

@Suite("Answers that Keras gave")
struct KnownAnswerTests {
    @Test("every case of the real Keras comes out the same on every set of kernels", arguments: Kernels.available)
    func builtIn(_ kernels: Kernels) throws {
        for result in try KnownAnswers.builtIn().run(on: kernels) {
            #expect(result.isPassed, "\(kernels.name): \(result.description)")
        }
    }

    /// Three inputs, one unit, so small that a gate out of order, a lost mask or a clip shows in the numbers.
    private func file(_ y: String, id: String = "one", extra: String = "") -> [UInt8] {
        let config = #"{"units": 1, "recurrent_activation": "hard_sigmoid_keras2", "return_sequences": true}"#
        let arrays = #""x": [[[1], [2]]], "weights": [[[0.1, 0.2, 0.3, 0.4]], [[0.4, 0.3, 0.2, 0.1]], [0, 1, 0, 0]]"#
        let text = #"{"atol": 2e-5, "cases": [{"id": "\#(id)", "kind": "forward", "config": \#(config), \#(arrays), "#
        return Array((text + #""y": \#(y)\#(extra)}]}"#).utf8)
    }

    @Test("a wrong number fails its case, and the report names the case and the difference")
    func wrong() throws {
        let right = "[[[0.08719396], [0.26234602]]]"
        #expect(try KnownAnswers(json: file(right)).run().allSatisfy(\.isPassed))
        let results = try KnownAnswers(json: file("[[[0.08719396], [0.26334602]]]", id: "odd")).run()
        #expect(results.count == 1 && !results[0].isPassed)
        #expect(results[0].description.hasPrefix("odd: largest difference 0.00"))
    }

    @Test("a case of an unknown kind or with an unknown activation fails with that reason; the others still run")
    func odd() throws {
        let text = #"""
            {"cases": [{"id": "a", "kind": "dance"}, {"id": "b", "kind": "train", "layers": [{"units": 0}]},
             {"id": "c", "kind": "forward", "config": {"units": 1, "activation": "warp"}, "x": [[[1]]]}, {"id": "d"}]}
            """#
        let results = try KnownAnswers(json: Array(text.utf8)).run()
        #expect(results.map(\.id) == ["a", "b", "c", "d"])
        #expect(results.allSatisfy { !$0.isPassed })
        #expect(results[2].description.contains("warp"))
    }

    @Test("what is not a file of cases is refused as a whole", arguments: ["", "[]", "{}", "{\"cases\": 3}", "\u{0}"])
    func unreadable(_ text: String) {
        #expect(throws: (any Error).self) { try KnownAnswers(json: Array(text.utf8)) }
    }

    // MARK: The published cases of Keras' own tests of its layer (keras/src/layers/rnn/lstm_test.py)

    private func constant(
        _ units: Int, useBias: Bool = true, unitForgetBias: Bool = true, implementation: Int = 1,
        returnSequences: Bool = false, goBackwards: Bool = false, stateful: Bool = false, unroll: Bool = false,
        zeroOutputForMask: Bool = false
    ) throws -> LSTM {
        try LSTM(
            units, recurrentActivation: .sigmoid, useBias: useBias, kernelInitializer: .constant(0.01),
            recurrentInitializer: .constant(0.02), biasInitializer: .constant(0.03), unitForgetBias: unitForgetBias,
            implementation: implementation, returnSequences: returnSequences, goBackwards: goBackwards,
            stateful: stateful, unroll: unroll, zeroOutputForMask: zeroOutputForMask)
    }

    private func counting(_ shape: Int...) throws -> Tensor {
        try Tensor(shape: shape, values: (0..<shape.reduce(1, *)).map { Float($0) })
    }

    @Test("Keras' correctness cases", arguments: [1, 2])
    func correctness(_ implementation: Int) throws {
        let x = try counting(3, 6, 4)
        let cases: [(LSTM, [Float])] = [
            (try constant(3, implementation: implementation), [0.6288687, 0.86899155, 0.9460773]),
            (try constant(3, implementation: implementation, goBackwards: true), [0.35622165, 0.74789524, 0.8872726]),
            (try constant(3, implementation: implementation, unroll: true), [0.6288687, 0.86899155, 0.9460773]),
            (
                try constant(3, unitForgetBias: false, implementation: implementation),
                [0.57019705, 0.8661914, 0.9459622]
            ),
            (try constant(3, useBias: false, implementation: implementation), [0.54986924, 0.86226785, 0.9443936]),
        ]
        for (layer, expected) in cases {
            expectClose(try layer(x).y.values, expected.flatMap { [$0, $0, $0] }, within: 1e-5)
        }
    }

    @Test("Keras' statefulness case")
    func statefulness() throws {
        let x = try counting(2, 3, 4)
        let layer = try constant(4, stateful: true)
        for _ in 0..<2 {
            _ = try layer(x)
            let expected: [Float] = [0.3124785, 0.6863672].flatMap { [$0, $0, $0, $0] }
            expectClose(try layer(x).y.values, expected, within: 1e-5)
            layer.resetStates()
        }
    }

    @Test("Keras' cases of an initial state")
    func initialState() throws {
        let x = try counting(2, 4, 3)
        let state = LSTM.State(h: try counting(2, 2), c: try counting(2, 2))
        let forward = try constant(2)(x, initialState: state).y
        expectClose(forward.values, [0.20574439, 0.3558822, 0.64930826, 0.66276], within: 1e-5)
        let backward = try constant(2, goBackwards: true)(x, initialState: state).y
        expectClose(backward.values, [0.13281618, 0.2790356, 0.5839337, 0.5992567], within: 1e-5)
    }

    @Test("Keras' masking cases")
    func masking() throws {
        let x = try counting(2, 4, 3)
        let mask = try Mask([[true, true, true, false], [true, true, false, false]])
        let last = try constant(2, unroll: true)(x, mask: mask).y
        expectClose(last.values, [0.11755939, 0.11755939, 0.28556206, 0.28556206], within: 1e-5)
        let held: [Float] = [
            0.01588910, 0.05552048, 0.11755939, 0.11755939, 0.14185596, 0.28556206, 0.28556206, 0.28556206,
        ]
        let all = try constant(2, returnSequences: true)(x, mask: mask).y
        expectClose(all.values, held.flatMap { [$0, $0] }, within: 1e-5)
        let zeros: [Float] = [0.01588910, 0.05552048, 0.11755939, 0, 0.14185596, 0.28556206, 0, 0]
        let zeroed = try constant(2, returnSequences: true, zeroOutputForMask: true)(x, mask: mask).y
        expectClose(zeroed.values, zeros.flatMap { [$0, $0] }, within: 1e-5)
        let left = try Mask([[false, true, true, true], [false, false, true, true]])
        let backward = try constant(2, goBackwards: true)(x, mask: left).y
        expectClose(backward.values, [0.15341201, 0.15341201, 0.3844719, 0.3844719], within: 1e-5)
    }
}
