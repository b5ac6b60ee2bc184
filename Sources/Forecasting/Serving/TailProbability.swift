internal import CRecurrentKernels

/// How surprising a value is under the forecast made before it: the probability of one at least as far out on its side,
/// doubled; 1 in the middle, near 0 far out.
enum TailProbability {
    /// - Parameters:
    ///   - forecast: `[levels.count]`, ascending; between quantiles the distribution is linear, outside its tails are
    ///     exponential and go on with the density of the outermost part.
    ///   - floor: the least distance that two quantiles count as apart.
    /// - Returns: 2⁻³² … 1; NaN if `forecast` has NaN.
    static func of(
        _ value: Float, forecast: UnsafePointer<Float>, levels: [Float], floor: Float
    ) -> Float {
        let count = levels.count
        guard count > 1, !forecast[0].isNaN, !forecast[count - 1].isNaN else { return .nan }
        let below = distribution(value, forecast, levels, floor)
        return max(least, min(1, 2 * min(below, 1 - below)))
    }

    static let least: Float = 0x1p-32

    /// Log₂ of a positive number: its exponent and a straight line for the rest, within .09, and the same on every machine.
    static func logarithm(_ x: Float) -> Float { Float(x.exponent) + (x.significand - 1) }

    private static func distribution(
        _ value: Float, _ forecast: UnsafePointer<Float>, _ levels: [Float], _ floor: Float
    ) -> Float {
        let count = levels.count
        if value < forecast[0] {
            let density = (levels[1] - levels[0]) / max(floor, forecast[1] - forecast[0])
            return levels[0] * exp(-(forecast[0] - value) * density / levels[0])
        }
        if value > forecast[count - 1] {
            let rest = 1 - levels[count - 1]
            let gap = max(floor, forecast[count - 1] - forecast[count - 2])
            let density = (levels[count - 1] - levels[count - 2]) / gap
            return 1 - rest * exp(-(value - forecast[count - 1]) * density / rest)
        }
        let first = (0..<count).first { forecast[$0] >= value } ?? count - 1
        let last = (0..<count).last { forecast[$0] <= value } ?? 0
        // On several equal quantiles at once, the one nearest the middle counts.
        if first <= last { return max(levels[first], min(levels[last], 0.5)) }
        let share = (value - forecast[last]) / (forecast[first] - forecast[last])
        return levels[last] + share * (levels[first] - levels[last])
    }

    private static func exp(_ x: Float) -> Float {
        var result: Float = 0
        withUnsafePointer(to: x) { crk_best().pointee.vexp(1, $0, &result) }
        return result
    }
}
