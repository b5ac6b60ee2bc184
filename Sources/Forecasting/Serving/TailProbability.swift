internal import CRecurrentKernels

/// The two-sided tail probability of a value under the forecast made before it: twice the probability of a value at
/// least as extreme on the same side; 1 in the middle, near 0 in the tails.
enum TailProbability {
    /// - Parameters:
    ///   - forecast: `[levels.count]`, ascending. The distribution is linear between quantiles; outside them the tails
    ///     are exponential and continue with the density of the outermost interval.
    ///   - floor: the minimum distance between two quantiles.
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

    /// Log₂ of a positive number, by its exponent and a linear approximation for the significand: accurate to 0.09, and
    /// the same on every machine.
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
            let upperTail = 1 - levels[count - 1]
            let gap = max(floor, forecast[count - 1] - forecast[count - 2])
            let density = (levels[count - 1] - levels[count - 2]) / gap
            return 1 - upperTail * exp(-(value - forecast[count - 1]) * density / upperTail)
        }
        let first = (0..<count).first { forecast[$0] >= value } ?? count - 1
        let last = (0..<count).last { forecast[$0] <= value } ?? 0
        // If the value equals several quantiles, the level nearest the middle counts.
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
