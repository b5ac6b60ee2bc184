/// The quantile function of the standard normal distribution, with a relative error of at most 1.15e-9.
///
/// Source: P. J. Acklam, "An algorithm for computing the inverse normal cumulative distribution function" (2003). The
/// rational functions for the central region and the tails use only + − × ÷ √, plus one logarithm, which is computed
/// from a series, so every machine gives the same bits.
public func normalQuantile(_ probability: Double) -> Double {
    let low = 0.02425
    if probability < low { return tail((-2 * naturalLogarithm(probability)).squareRoot()) }
    if probability > 1 - low { return -tail((-2 * naturalLogarithm(1 - probability)).squareRoot()) }
    let q = probability - 0.5
    let r = q * q
    let numerator = horner(r, centralNumerator) * q
    return numerator / (horner(r, centralDenominator) * r + 1)
}

private func tail(_ q: Double) -> Double { horner(q, tailNumerator) / (horner(q, tailDenominator) * q + 1) }

private func horner(_ x: Double, _ coefficients: [Double]) -> Double {
    coefficients.reduce(0) { $0 * x + $1 }
}

/// ln x from the series of artanh, after the exponent has been split off.
private func naturalLogarithm(_ x: Double) -> Double {
    let m = x.significand
    let z = (m - 1) / (m + 1)
    let square = z * z
    var sum = 0.0
    var power = z
    for n in stride(from: 1.0, to: 60, by: 2) {
        sum += power / n
        power *= square
    }
    return 2 * sum + Double(x.exponent) * 0.693147180559945309
}

private let centralNumerator = [
    -3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02, 1.383577518672690e+02,
    -3.066479806614716e+01, 2.506628277459239e+00,
]
private let centralDenominator = [
    -5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598874e+02, 6.680131188771972e+01,
    -1.328068155288572e+01,
]
private let tailNumerator = [
    -7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00, -2.549732539343734e+00,
    4.374664141464968e+00, 2.938163982698783e+00,
]
private let tailDenominator = [
    7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00,
]
