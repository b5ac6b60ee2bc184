/// The initial values of weights, with the semantics of Keras' initializers.
public enum Initializer: Sendable, Equatable {
    case zeros
    case ones
    case constant(Float)
    case randomUniform(from: Float, to: Float)
    case randomNormal(mean: Float, deviation: Float)
    /// Normal, redrawn while it is more than two standard deviations from the mean.
    case truncatedNormal(mean: Float, deviation: Float)
    /// Uniform in ±√(6/(inputs + outputs)): Glorot and Bengio, 2010.
    case glorotUniform
    case glorotNormal
    case heUniform
    case heNormal
    case lecunUniform
    case lecunNormal
    /// Q of the QR decomposition of a normal matrix, with R's diagonal made positive (Saxe et al., 2013). A wide matrix
    /// has orthonormal rows, a tall one orthonormal columns.
    case orthogonal(gain: Float = 1)
    case identity(gain: Float = 1)

    /// Values for a tensor of `shape`: `[inputs, outputs]`, or `[outputs]` for a bias.
    func values(_ shape: [Int], _ random: inout RandomSource) -> [Float] {
        let count = shape.reduce(1, *)
        let (inputs, outputs) = (Float(shape.first ?? 1), Float(shape.last ?? 1))
        return switch self {
        case .zeros: [Float](repeating: 0, count: count)
        case .ones: [Float](repeating: 1, count: count)
        case .constant(let value): [Float](repeating: value, count: count)
        case .randomUniform(let from, let to): (0..<count).map { _ in from + (to - from) * random.uniform() }
        case .randomNormal(let mean, let deviation): (0..<count).map { _ in mean + deviation * random.normal() }
        case .truncatedNormal(let mean, let deviation):
            (0..<count).map { _ in mean + deviation * Self.truncated(&random) }
        case .glorotUniform: Self.uniform(count, 6 / (inputs + outputs), &random)
        case .heUniform: Self.uniform(count, 6 / inputs, &random)
        case .lecunUniform: Self.uniform(count, 3 / inputs, &random)
        case .glorotNormal: Self.normal(count, 2 / (inputs + outputs), &random)
        case .heNormal: Self.normal(count, 2 / inputs, &random)
        case .lecunNormal: Self.normal(count, 1 / inputs, &random)
        case .orthogonal(let gain): Self.orthogonal(rows: shape.first ?? 1, count: count, gain: gain, &random)
        case .identity(let gain):
            (0..<count).map { $0 / (shape.last ?? 1) == $0 % (shape.last ?? 1) ? gain : 0 }
        }
    }

    private static func uniform(_ count: Int, _ limitSquared: Float, _ random: inout RandomSource) -> [Float] {
        let limit = limitSquared.squareRoot()
        return (0..<count).map { _ in random.uniform(limit: limit) }
    }

    /// Keras draws from a truncated normal here and rescales it, so that the variance is right.
    private static func normal(_ count: Int, _ variance: Float, _ random: inout RandomSource) -> [Float] {
        let deviation = variance.squareRoot() / 0.879_625_66
        return (0..<count).map { _ in deviation * truncated(&random) }
    }

    private static func truncated(_ random: inout RandomSource) -> Float {
        while true {
            let value = random.normal()
            if value.magnitude < 2 { return value }
        }
    }

    /// Gram-Schmidt in double precision, twice for accuracy; its R has a positive diagonal.
    private static func orthogonal(rows: Int, count: Int, gain: Float, _ random: inout RandomSource) -> [Float] {
        let columns = count / max(1, rows)
        let (vectors, length) = (min(rows, columns), max(rows, columns))
        var basis: [[Double]] = []
        while basis.count < vectors {
            var vector = (0..<length).map { _ in Double(random.normal()) }
            for _ in 0..<2 { for other in basis { subtractProjection(&vector, other) } }
            let norm = dot(vector, vector).squareRoot()
            if norm > 1e-6 { basis.append(vector.map { $0 / norm }) }
        }
        if rows <= columns { return basis.flatMap { $0.map { gain * Float($0) } } }
        return (0..<rows).flatMap { row in basis.map { gain * Float($0[row]) } }
    }

    private static func dot(_ a: [Double], _ b: [Double]) -> Double {
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                var sum = 0.0
                for index in a.indices { sum += a[index] * b[index] }
                return sum
            }
        }
    }

    private static func subtractProjection(_ vector: inout [Double], _ direction: [Double]) {
        let length = dot(vector, direction)
        vector.withUnsafeMutableBufferPointer { vector in
            direction.withUnsafeBufferPointer { direction in
                for index in vector.indices { vector[index] -= length * direction[index] }
            }
        }
    }
}
