import Recurrent
import Testing

@Suite("Gradients")
struct GradientTests {
    private static let inputs = 3
    private static let batch = 2
    private static let timesteps = 4

    /// One layer, its input, and a direction that makes a number of its outputs.
    private struct Setting {
        let layer: LSTM
        let x: Tensor
        let state: LSTM.State
        let mask: [[Bool]]?
        let direction: [Float]

        /// Σ direction · output, in Double arithmetic.
        func loss(_ reference: Reference, _ x: [Double]) -> Double {
            let y = reference.run(
                x, batch: batch, timesteps: timesteps, h0: state.h.values.map(Double.init),
                c0: state.c.values.map(Double.init), mask: mask)
            return zip(y, direction).reduce(0) { $0 + $1.0 * Double($1.1) }
        }
    }

    private func setting(
        _ activation: Activation, _ recurrent: Activation, units: Int = 5, mask: [[Bool]]? = nil,
        kernels: Kernels = .best
    ) throws -> Setting {
        var numbers = Numbers(seed: 31)
        let layer = try LSTM(
            units, activation: activation, recurrentActivation: recurrent,
            biasInitializer: .randomNormal(mean: 0, deviation: 0.3),
            returnSequences: true, kernels: kernels
        ).built(Self.inputs)
        return Setting(
            layer: layer, x: try numbers.tensor(Self.batch, Self.timesteps, Self.inputs),
            state: try numbers.state(Self.batch, units), mask: mask,
            direction: try numbers.tensor(Self.batch, Self.timesteps, units).values)
    }

    private func check(_ setting: Setting) throws {
        let layer = setting.layer
        _ = try layer(setting.x, mask: setting.mask.map { try Mask($0) }, initialState: setting.state, training: true)
        let direction = try Tensor(
            shape: [Self.batch, Self.timesteps, layer.units], values: setting.direction)
        let input = try #require(try layer.backward(direction, wantsInputGradient: true))
        let reference = Reference(layer, inputs: Self.inputs)
        let x = setting.x.values.map(Double.init)
        let step = 1e-6
        func compare(_ gradient: Float, _ what: String, _ change: (inout Reference, inout [Double], Double) -> Void) {
            var (up, down) = ((reference, x), (reference, x))
            change(&up.0, &up.1, step)
            change(&down.0, &down.1, -step)
            let difference = (setting.loss(up.0, up.1) - setting.loss(down.0, down.1)) / (2 * step)
            let allowed = 2e-5 * max(1, difference.magnitude)
            #expect((difference - Double(gradient)).magnitude < allowed, "\(what), \(layer.activation)")
        }
        let gradients = layer.parameters.map(\.gradient)
        for (place, gradient) in gradients[0].enumerated() {
            compare(gradient, "kernel \(place)") { reference, _, step in reference.kernel[place] += step }
        }
        for (place, gradient) in gradients[1].enumerated() {
            compare(gradient, "recurrent \(place)") { reference, _, step in reference.recurrent[place] += step }
        }
        for (place, gradient) in gradients[2].enumerated() {
            compare(gradient, "bias \(place)") { reference, _, step in reference.bias[place] += step }
        }
        for (place, gradient) in input.values.enumerated() {
            compare(gradient, "input \(place)") { _, x, step in x[place] += step }
        }
    }

    @Test(
        "every parameter's and input's gradient is that of Float64 differences, for every activation",
        arguments: Activation.allCases)
    func activations(_ activation: Activation) throws { try check(setting(activation, .sigmoid)) }

    @Test(
        "so it is for every gate function and set of kernels",
        arguments: [Activation.sigmoid, .hardSigmoid, .hardSigmoidKeras3, .relu6, .softsign], Kernels.available)
    func gates(_ recurrent: Activation, _ kernels: Kernels) throws {
        try check(setting(.tanh, recurrent, units: 18, kernels: kernels))
    }

    @Test("no gradient passes a masked step but along the held state")
    func masks() throws {
        let mask = [[false, true, false, true], [true, true, true, false]]
        try check(setting(.tanh, .sigmoid, mask: mask))
        try check(setting(.elu, .hardSigmoid, mask: mask))
    }

    @Test("a dense layer's gradients are those of differences, with and without an activation")
    func dense() throws {
        for activation in [Activation.linear, .tanh, .relu, .gelu] {
            var numbers = Numbers(seed: 3)
            let model = try Sequential([Dense(4, activation: activation), Dense(2)], inputShape: [3], seed: 2)
            let (x, y) = (try numbers.tensor(5, 3), try numbers.tensor(5, 2))
            model.compile(Optimizer(.sgd(), learningRate: 0.0), loss: .meanSquaredError)
            _ = try model.trainOnBatch(x, y)
            let gradients = model.parameters.map(\.gradient)
            let weights = model.weights
            for tensor in weights.indices {
                for place in weights[tensor].values.indices {
                    func loss(_ change: Float) throws -> Double {
                        var changed = weights
                        var values = weights[tensor].values
                        values[place] += change
                        changed[tensor] = try Tensor(shape: weights[tensor].shape, values: values)
                        try model.setWeights(changed)
                        return try model.evaluate(x, y)
                    }
                    let difference = Float(try loss(5e-3) - loss(-5e-3)) / 1e-2
                    #expect(
                        (difference - gradients[tensor][place]).magnitude < 2e-3, "\(activation) \(tensor) \(place)")
                }
            }
        }
    }

    @Test("backward without a forward pass of training, and with a wrong shape, is refused")
    func refused() throws {
        let setting = try setting(.tanh, .sigmoid)
        let layer = setting.layer
        let direction = try Tensor(shape: [Self.batch, Self.timesteps, 5], values: setting.direction)
        _ = try layer(setting.x)
        #expect(throws: RecurrentError.nothingToDifferentiate(layer: "lstm")) {
            try layer.backward(direction, wantsInputGradient: false)
        }
        _ = try layer(setting.x, training: true)
        #expect(throws: RecurrentError.shape(what: "lstm: output gradient", expected: [2, 4, 5], actual: [2, 3, 5])) {
            try layer.backward(direction.slice(0..<3), wantsInputGradient: false)
        }
    }
}
