import Recurrent

/// An LSTM layer's arguments under their Keras names; missing ones have the layer's default values.
struct LayerConfiguration: Decodable {
    let units: Int
    let activation: String?
    let recurrent_activation: String?
    let use_bias: Bool?
    let return_sequences: Bool?
    let go_backwards: Bool?
    let stateful: Bool?
    let unroll: Bool?
    let implementation: Int?
    let zero_output_for_mask: Bool?
    /// For the kernel and the recurrent kernel.
    let regularizer: Named?
    let kernel_regularizer: Named?
    let recurrent_regularizer: Named?
    let bias_regularizer: Named?
    let activity_regularizer: Named?
    let kernel_constraint: Named?
    let recurrent_constraint: Named?
    let bias_constraint: Named?

    func layer(on kernels: Kernels) throws -> LSTM {
        try LSTM(
            units, activation: Self.activation(activation ?? "tanh"),
            recurrentActivation: Self.activation(recurrent_activation ?? "sigmoid"), useBias: use_bias ?? true,
            kernelRegularizer: (kernel_regularizer ?? regularizer)?.regularizer(),
            recurrentRegularizer: (recurrent_regularizer ?? regularizer)?.regularizer(),
            biasRegularizer: bias_regularizer?.regularizer(),
            activityRegularizer: activity_regularizer?.regularizer(),
            kernelConstraint: kernel_constraint?.constraint(),
            recurrentConstraint: recurrent_constraint?.constraint(), biasConstraint: bias_constraint?.constraint(),
            implementation: implementation ?? 1, returnSequences: return_sequences ?? false, returnState: true,
            goBackwards: go_backwards ?? false, stateful: stateful ?? false, unroll: unroll ?? false,
            zeroOutputForMask: zero_output_for_mask ?? false, kernels: kernels)
    }

    private static func activation(_ name: String) throws -> Activation {
        switch name {
        case "hard_sigmoid": return .hardSigmoidKeras3
        case "hard_sigmoid_keras2": return .hardSigmoid
        case "leaky_relu": return .leakyReLU
        case "swish": return .silu
        case "hard_swish": return .hardSilu
        default: break
        }
        let words = name.split(separator: "_")
        let camel = words.prefix(1) + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }
        guard let activation = Activation(rawValue: camel.joined()) else {
            throw CaseError.unknown("activation", name)
        }
        return activation
    }
}

/// A regularizer or constraint with its parameters: `["l1_l2", 0.01]`, `["min_max_norm", 0.3, 0.8, 0.7]`.
struct Named: Decodable {
    let name: String
    let numbers: [Float]

    init(from decoder: any Decoder) throws {
        if let name = try? decoder.singleValueContainer().decode(String.self) {
            (self.name, numbers) = (name, [])
            return
        }
        var list = try decoder.unkeyedContainer()
        name = try list.decode(String.self)
        var numbers: [Float] = []
        while !list.isAtEnd { numbers.append(try list.decode(Float.self)) }
        self.numbers = numbers
    }

    private func number(_ index: Int, _ standard: Float) -> Float {
        index < numbers.count ? numbers[index] : standard
    }

    /// A single number for `l1_l2` sets both factors.
    func regularizer() throws -> Regularizer {
        switch name {
        case "l1": .l1(number(0, 0.01))
        case "l2": .l2(number(0, 0.01))
        case "l1_l2": .l1l2(l1: number(0, 0), l2: number(1, number(0, 0)))
        case "orthogonal", "orthogonal_regularizer": .orthogonal(factor: number(0, 0.01))
        default: throw CaseError.unknown("regularizer", name)
        }
    }

    func constraint() throws -> Constraint {
        switch name {
        case "max_norm": .maxNorm(number(0, 2))
        case "non_neg": .nonNeg
        case "unit_norm": .unitNorm
        case "min_max_norm": .minMaxNorm(min: number(0, 0), max: number(1, 1), rate: number(2, 1))
        default: throw CaseError.unknown("constraint", name)
        }
    }
}
