/// Keras' initial values.
public enum Initializers {
    /// Uniform in ±√(6 / (rows + columns)): Glorot and Bengio, 2010. Shape `[rows, columns]`.
    public static func glorotUniform(rows: Int, columns: Int, _ random: inout RandomSource) -> [Float] {
        let limit = (6 / Float(rows + columns)).squareRoot()
        return (0..<rows * columns).map { _ in random.uniform(limit: limit) }
    }

    /// Orthonormal rows (columns, if there are more rows): Saxe et al., 2013. Shape `[rows, columns]`.
    ///
    /// Gram-Schmidt, twice for accuracy, on normal vectors.
    public static func orthogonal(rows: Int, columns: Int, _ random: inout RandomSource) -> [Float] {
        let (count, length) = (min(rows, columns), max(rows, columns))
        var basis: [[Float]] = []
        while basis.count < count {
            var vector = (0..<length).map { _ in random.normal() }
            for _ in 0..<2 {
                for other in basis { subtractProjection(&vector, other) }
            }
            let norm = dot(vector, vector).squareRoot()
            guard norm > 1e-3 else { continue }
            basis.append(vector.map { $0 / norm })
        }
        if rows <= columns { return basis.flatMap { $0 } }
        return (0..<rows).flatMap { row in basis.map { $0[row] } }
    }

    private static func dot(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

    private static func subtractProjection(_ vector: inout [Float], _ direction: [Float]) {
        let length = dot(vector, direction)
        for place in vector.indices { vector[place] -= length * direction[place] }
    }
}
