/// A penalty on weights or outputs, added to the loss. As in Keras there is no ½ before a square.
public enum Regularizer: Sendable, Equatable {
    /// λΣ|w|.
    case l1(Float)
    /// λΣw².
    case l2(Float)
    case l1l2(l1: Float, l2: Float)
    /// λ times the mean |cosine| between pairs of rows (or columns) of a matrix.
    case orthogonal(factor: Float = 0.01, columns: Bool = false)

    /// The penalty of `values`, rows of `width`, and its derivative added to `gradient`, both times `scale`.
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
        for place in values.indices {
            let value = values[place]
            magnitudes += Double(value.magnitude)
            squares += Double(value) * Double(value)
            let sign: Float = value > 0 ? 1 : value < 0 ? -1 : 0
            gradient[place] += scale * (l1 * sign + 2 * l2 * value)
        }
        return Double(scale) * (Double(l1) * magnitudes + Double(l2) * squares)
    }

    /// With unit vectors u, the penalty is the mean over pairs of |u·v|; its derivative by u is projected off u.
    private static func orthogonality(
        _ values: [Float], _ width: Int, factor: Double, _ columns: Bool, _ gradient: inout [Float]
    ) -> Double {
        let rows = values.count / max(1, width)
        let (count, length) = columns ? (width, rows) : (rows, width)
        func place(_ vector: Int, _ element: Int) -> Int {
            columns ? element * width + vector : vector * width + element
        }
        guard count > 1 else { return 0 }
        let pairs = Double(count) * Double(count - 1) / 2
        var units: [[Double]] = []
        var norms: [Double] = []
        for vector in 0..<count {
            let raw = (0..<length).map { Double(values[place(vector, $0)]) }
            norms.append(max(raw.reduce(0) { $0 + $1 * $1 }.squareRoot(), 1e-12))
            units.append(raw.map { $0 / norms[vector] })
        }
        var sum = 0.0
        for a in 0..<count {
            var pull = [Double](repeating: 0, count: length)
            for b in 0..<count where b != a {
                let cosine = zip(units[a], units[b]).reduce(0) { $0 + $1.0 * $1.1 }
                sum += cosine.magnitude / 2
                let sign: Double = cosine > 0 ? 1 : cosine < 0 ? -1 : 0
                for element in 0..<length { pull[element] += sign * (units[b][element] - cosine * units[a][element]) }
            }
            for element in 0..<length {
                gradient[place(a, element)] += Float(factor * pull[element] / (norms[a] * pairs))
            }
        }
        return factor * sum / pairs
    }
}
