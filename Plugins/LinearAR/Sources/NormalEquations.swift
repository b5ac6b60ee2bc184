import Forecasting
package import Recurrent

/// The weights of direct linear regression.
///
/// The forecast at lead h, relative to the last value and in units of the scale, is bias[h] + Σ kernel[lag][h] · (lag −
/// last)/scale.
package struct LinearWeights: Sendable, Equatable {
    /// `[lags][horizon]`.
    package var kernel: [Float]
    /// `[horizon]`.
    package var bias: [Float]

    /// A cell with these weights, ready to run over rows.
    package func cell() throws(RecurrentError) -> DenseCell {
        let horizon = bias.count
        return try DenseCell(
            kernel: Tensor(shape: [kernel.count / max(1, horizon), horizon], values: kernel),
            bias: Tensor(shape: [horizon], values: bias))
    }
}

/// The normal equations of the regression: the Gram matrix `[p][p]` of the lags and a constant, and the moments
/// `[p][horizon]`, as one matrix `[p][p + horizon]`.
struct NormalEquations {
    let p: Int
    let horizon: Int
    private(set) var sums: [Double]

    init(lags: Int, horizon: Int, sums: [Double]? = nil) {
        (p, self.horizon) = (lags + 1, horizon)
        self.sums = sums ?? [Double](repeating: 0, count: (lags + 1) * (lags + 1 + horizon))
    }

    static func += (a: inout NormalEquations, b: NormalEquations) {
        for index in a.sums.indices { a.sums[index] += b.sums[index] }
    }

    static func + (a: NormalEquations, b: NormalEquations) -> NormalEquations {
        var sum = a
        sum += b
        return sum
    }

    /// Solves the ridge regression; `lambda` is in units of the mean square of a lag, and the constant is not
    /// penalized.
    func solved(lambda: Double) -> LinearWeights {
        let width = p + horizon
        var gram = [Double](repeating: 0, count: p * p)
        var right = [Double](repeating: 0, count: p * horizon)
        var trace = 0.0
        for row in 0..<p {
            for column in 0..<p { gram[row * p + column] = sums[row * width + column] }
            for lead in 0..<horizon { right[row * horizon + lead] = sums[row * width + p + lead] }
            if row < p - 1 { trace += gram[row * p + row] }
        }
        let penalty = lambda * trace / Double(max(1, p - 1)) + 1e-9
        for row in 0..<p - 1 { gram[row * p + row] += penalty }
        gram[p * p - 1] += 1e-6
        solveSymmetric(&gram, p, &right, horizon)
        return LinearWeights(
            kernel: right.prefix((p - 1) * horizon).map { Float($0) },
            bias: right.suffix(horizon).map { Float($0) })
    }
}

/// Solves A·X = B in place for a positive definite A `[n][n]` and B `[n][columns]`, by Cholesky decomposition.
func solveSymmetric(_ matrix: inout [Double], _ n: Int, _ right: inout [Double], _ columns: Int) {
    matrix.withUnsafeMutableBufferPointer { a in
        for row in 0..<n {
            for column in 0...row {
                var sum = a[row * n + column]
                for k in 0..<column { sum -= a[row * n + k] * a[column * n + k] }
                a[row * n + column] =
                    row == column ? max(sum, 1e-12).squareRoot() : sum / a[column * n + column]
            }
        }
        right.withUnsafeMutableBufferPointer { b in
            for row in 0..<n {
                for k in 0..<row {
                    let factor = a[row * n + k]
                    for column in 0..<columns { b[row * columns + column] -= factor * b[k * columns + column] }
                }
                for column in 0..<columns { b[row * columns + column] /= a[row * n + row] }
            }
            for row in (0..<n).reversed() {
                for k in row + 1..<n {
                    let factor = a[k * n + row]
                    for column in 0..<columns { b[row * columns + column] -= factor * b[k * columns + column] }
                }
                for column in 0..<columns { b[row * columns + column] /= a[row * n + row] }
            }
        }
    }
}
