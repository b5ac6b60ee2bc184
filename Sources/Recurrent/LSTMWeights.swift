/// The weights of one LSTM layer in Keras' layout; gates in the order i, f, c, o.
public struct LSTMWeights: Sendable, Equatable {
    public let inputs: Int
    /// The length of `h`, of `c` and of each of the four gates.
    public let units: Int
    /// `[inputs, 4·units]`.
    public var kernel: [Float]
    /// `[units, 4·units]`: every unit's gates read every unit's `h`.
    public var recurrentKernel: [Float]
    /// `[4·units]`.
    public var bias: [Float]

    /// Fresh weights with Keras' defaults: Glorot uniform, orthogonal, zeros, and ones for the forget gate.
    ///
    /// - Throws: ``RecurrentError/argument(name:expected:actual:)`` for zero units or inputs.
    public init(
        inputs: Int, units: Int, unitForgetBias: Bool = true, _ random: inout RandomSource
    ) throws(RecurrentError) {
        try Self.check(inputs, units)
        self.inputs = inputs
        self.units = units
        kernel = Initializers.glorotUniform(rows: inputs, columns: 4 * units, &random)
        recurrentKernel = Initializers.orthogonal(rows: units, columns: 4 * units, &random)
        bias = [Float](repeating: 0, count: 4 * units)
        if unitForgetBias { for unit in units..<2 * units { bias[unit] = 1 } }
    }

    /// Weights from arrays in Keras' layout.
    public init(
        inputs: Int, units: Int, kernel: [Float], recurrentKernel: [Float], bias: [Float]
    ) throws(RecurrentError) {
        try Self.check(inputs, units)
        self.inputs = inputs
        self.units = units
        (self.kernel, self.recurrentKernel, self.bias) = (kernel, recurrentKernel, bias)
        for (name, array, shape) in [
            ("kernel", kernel, [inputs, 4 * units]), ("recurrent_kernel", recurrentKernel, [units, 4 * units]),
            ("bias", bias, [4 * units]),
        ] {
            guard array.count == shape.reduce(1, *) else {
                throw .shape(what: name, expected: shape, actual: [array.count])
            }
            guard array.allSatisfy(\.isFinite) else { throw .notFinite(tensor: name) }
        }
    }

    private static func check(_ inputs: Int, _ units: Int) throws(RecurrentError) {
        guard inputs > 0 else { throw .argument(name: "inputs", expected: "at least 1", actual: "\(inputs)") }
        guard units > 0 else { throw .argument(name: "units", expected: "at least 1", actual: "\(units)") }
    }

    /// `4·(units·(units + inputs) + units)`.
    public var parameterCount: Int { 4 * (units * (units + inputs) + units) }
}

/// How the gates i, f and o are squashed. Keras changed its hard sigmoid between versions 2 and 3.
public enum RecurrentActivation: Int32, Sendable {
    case sigmoid = 0
    /// clip(0.2·x + 0.5, 0, 1).
    case hardSigmoidKeras2 = 1
    /// clip(x/6 + 0.5, 0, 1).
    case hardSigmoidKeras3 = 2

    /// The derivative, given the activated value.
    func derivative(_ y: Float) -> Float {
        switch self {
        case .sigmoid: y * (1 - y)
        case .hardSigmoidKeras2: y > 0 && y < 1 ? 0.2 : 0
        case .hardSigmoidKeras3: y > 0 && y < 1 ? 1 / 6 : 0
        }
    }
}
