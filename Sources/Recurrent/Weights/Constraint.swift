/// What weights are brought back to after each step of the optimizer, along axis 0: a norm is that of the weights into
/// one unit's gate, a column of a kernel, or of a whole bias.
public enum Constraint: Sendable, Equatable {
    case maxNorm(Float = 2)
    case nonNeg
    case unitNorm
    case minMaxNorm(min: Float = 0, max: Float = 1, rate: Float = 1)

    /// Keras' epsilon, so that a column of zeros divides too.
    private static let epsilon: Float = 1e-7

    /// `values`, rows of `width`, brought back.
    func apply(to values: inout [Float], width: Int) {
        if self == .nonNeg {
            for place in values.indices { values[place] = max(values[place], 0) }
            return
        }
        for column in 0..<width {
            let places = stride(from: column, to: values.count, by: width)
            let norm = places.reduce(Float(0)) { $0 + values[$1] * values[$1] }.squareRoot()
            let factor = desired(norm) / (Self.epsilon + norm)
            for place in places { values[place] *= factor }
        }
    }

    private func desired(_ norm: Float) -> Float {
        switch self {
        case .maxNorm(let most): Swift.min(norm, most)
        case .nonNeg: norm
        case .unitNorm: 1
        case .minMaxNorm(let least, let most, let rate):
            rate * Swift.min(Swift.max(norm, least), most) + (1 - rate) * norm
        }
    }
}
