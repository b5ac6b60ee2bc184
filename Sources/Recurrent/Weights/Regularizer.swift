/// A penalty on weights or outputs, added to the loss; as in Keras, squares have no factor ½.
public enum Regularizer: Sendable, Equatable {
    /// λΣ|w|.
    case l1(Float)
    /// λΣw².
    case l2(Float)
    case l1l2(l1: Float, l2: Float)
    /// λ times the mean |cosine| between pairs of rows (or columns) of a matrix.
    case orthogonal(factor: Float = 0.01, columns: Bool = false)

    /// Returns the penalty of `values`, rows of `width`, and adds its derivative to `gradient`, both multiplied by
    /// `scale`.
    func add(_ values: [Float], width: Int, scale: Float = 1, to gradient: inout [Float]) -> Double {
        switch self {
        case .l1(let factor): Self.norms(values, factor, 0, scale, &gradient)
        case .l2(let factor): Self.norms(values, 0, factor, scale, &gradient)
        case .l1l2(let l1, let l2): Self.norms(values, l1, l2, scale, &gradient)
        case .orthogonal(let factor, let columns):
            Self.orthogonality(values, width, factor: Double(factor * scale), columns, &gradient)
        }
    }

    private static func norms(
        _ values: [Float], _ l1: Float, _ l2: Float, _ scale: Float, _ gradient: inout [Float]
    ) -> Double {
        var (magnitudes, squares) = (0.0, 0.0)
        for index in values.indices {
            let value = values[index]
            magnitudes += Double(value.magnitude)
            squares += Double(value) * Double(value)
            let sign: Float = value > 0 ? 1 : value < 0 ? -1 : 0
            gradient[index] += scale * (l1 * sign + 2 * l2 * value)
        }
        return Double(scale) * (Double(l1) * magnitudes + Double(l2) * squares)
    }

    /// With unit vectors u, the penalty is the mean of |u·v| over pairs; its derivative with respect to u is projected
    /// orthogonally to u.
    private static func orthogonality(
        _ values: [Float], _ width: Int, factor: Double, _ columns: Bool, _ gradient: inout [Float]
    ) -> Double {
        let rows = values.count / max(1, width)
        let (count, length) = columns ? (width, rows) : (rows, width)
        func index(_ vector: Int, _ element: Int) -> Int {
            columns ? element * width + vector : vector * width + element
        }
        guard count > 1 else { return 0 }
        let pairs = Double(count) * Double(count - 1) / 2
        var units: [[Double]] = []
        var norms: [Double] = []
        for vector in 0..<count {
            let raw = (0..<length).map { Double(values[index(vector, $0)]) }
            norms.append(max(raw.reduce(0) { $0 + $1 * $1 }.squareRoot(), 1e-12))
            units.append(raw.map { $0 / norms[vector] })
        }
        var sum = 0.0
        for a in 0..<count {
            var derivative = [Double](repeating: 0, count: length)
            for b in 0..<count where b != a {
                let cosine = zip(units[a], units[b]).reduce(0) { $0 + $1.0 * $1.1 }
                sum += cosine.magnitude / 2
                let sign: Double = cosine > 0 ? 1 : cosine < 0 ? -1 : 0
                for element in 0..<length {
                    derivative[element] += sign * (units[b][element] - cosine * units[a][element])
                }
            }
            for element in 0..<length {
                gradient[index(a, element)] += Float(factor * derivative[element] / (norms[a] * pairs))
            }
        }
        return factor * sum / pairs
    }
}
