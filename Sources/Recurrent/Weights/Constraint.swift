/// A constraint on weights, applied along axis 0 after each optimizer step: the norm is taken over the weights into one
/// unit's gate, which is a column of a kernel, or over a whole bias.
public enum Constraint: Sendable, Equatable {
    case maxNorm(Float = 2)
    case nonNeg
    case unitNorm
    case minMaxNorm(min: Float = 0, max: Float = 1, rate: Float = 1)

    /// Keras' epsilon, which avoids a division by zero for a column of zeros.
    private static let epsilon: Float = 1e-7

    /// Applies the constraint to `values`, rows of `width`.
    func apply(to values: inout [Float], width: Int) {
        if self == .nonNeg {
            for index in values.indices { values[index] = max(values[index], 0) }
            return
        }
        for column in 0..<width {
            let columnIndices = stride(from: column, to: values.count, by: width)
            let norm = columnIndices.reduce(Float(0)) { $0 + values[$1] * values[$1] }.squareRoot()
            let factor = desired(norm) / (Self.epsilon + norm)
            for index in columnIndices { values[index] *= factor }
        }
    }

    private func desired(_ norm: Float) -> Float {
        switch self {
        case .maxNorm(let upper): Swift.min(norm, upper)
        case .nonNeg: norm
        case .unitNorm: 1
        case .minMaxNorm(let lower, let upper, let rate):
            rate * Swift.min(Swift.max(norm, lower), upper) + (1 - rate) * norm
        }
    }
}
