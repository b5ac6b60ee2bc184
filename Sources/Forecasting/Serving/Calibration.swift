/// Calibrates intervals: every quantile is shifted according to its recent errors (online quantile tracking; Gibbs and
/// Candès, "Adaptive conformal inference under distribution shift", 2021).
///
/// The corrections, in units of the width of the forecast's outermost interval, are kept at leads 1, 2, 4, 8 … and
/// interpolated between them, so that neighboring leads share what they learn. The median (the level nearest to one
/// half) is not corrected.
struct Calibration: Sendable {
    let horizon: Int
    let levels: [Float]
    let median: Int
    /// The step size per slot between two origins, and the maximum step size per origin.
    static let ratePerSlot: Float = 0.0021
    static let ratePerOrigin: Float = 0.025
    /// The factor by which the outer quantiles adapt faster: they are rarely exceeded, and should not need a thousand
    /// slots to be right.
    static let outerRateFactor: Float = 2
    /// The maximum magnitude of a correction.
    static let limit: Float = 4

    /// By lead − 1: the index of the knot below, and the interpolation weight of the knot above.
    private let interpolation: [(knot: Int, share: Float)]
    /// By lead − 1: the step sizes with which an error at that lead moves the knots below and above.
    private let steps: [(below: Float, above: Float)]

    init(horizon: Int, levels: [Float], median: Int, spacing: Int) {
        (self.horizon, self.levels, self.median) = (horizon, levels, median)
        interpolation = (1...horizon).map { lead in
            let knot = Int.bitWidth - 1 - lead.leadingZeroBitCount
            return (knot, Float(lead - 1 << knot) / Float(1 << knot))
        }
        var sums = [Float](repeating: 0, count: (interpolation.last?.knot ?? 0) + 2)
        for position in interpolation {
            sums[position.knot] += 1 - position.share
            sums[position.knot + 1] += position.share
        }
        steps = interpolation.enumerated().map { index, position in
            let origin = min(Self.ratePerOrigin, Self.ratePerSlot * Float(spacing))
            // Lead 1 is scored at every slot, the other leads once per origin.
            let rate = index == 0 ? origin / Float(spacing) : origin
            return (
                rate * (1 - position.share) / sums[position.knot],
                position.share == 0 ? 0 : rate * position.share / sums[position.knot + 1]
            )
        }
    }

    private var knots: Int { (interpolation.last?.knot ?? 0) + 2 }
    /// The number of floats in the state: `[knots][quantiles]`.
    var count: Int { knots * levels.count }

    /// Updates the corrections with the error of `forecast`, `[quantiles]`, against `truth` at `lead`.
    func learn(
        lead: Int, truth: Float, forecast: UnsafePointer<Float>, _ corrections: UnsafeMutablePointer<Float>
    ) {
        let (position, step) = (interpolation[lead - 1], steps[lead - 1])
        let below = corrections + position.knot * levels.count
        let above = below + levels.count
        for (level, nominal) in levels.enumerated() where level != median {
            // Neither above nor below: the forecasts of a constant series are exact.
            guard truth != forecast[level] else { continue }
            let isOuter = nominal < 0.05 || nominal > 0.95
            let error = (truth > forecast[level] ? nominal : nominal - 1) * (isOuter ? Self.outerRateFactor : 1)
            below[level] = Self.limited(below[level] + step.below * error)
            if step.above > 0 { above[level] = Self.limited(above[level] + step.above * error) }
        }
    }

    private static func limited(_ x: Float) -> Float { max(-limit, min(limit, x)) }

    /// Corrects a forecast, `[horizon][quantiles]`, and sorts each lead on either side of its median.
    ///
    /// The median keeps its bits: a quantile that would cross it is clamped to it.
    func apply(_ corrections: UnsafePointer<Float>, to forecast: UnsafeMutablePointer<Float>) {
        let width = levels.count
        for lead in 0..<horizon {
            let position = interpolation[lead]
            let (row, below) = (forecast + lead * width, corrections + position.knot * width)
            let (spread, middle) = (row[width - 1] - row[0], row[median])
            func corrected(_ level: Int) -> Float {
                let correction = below[level] + position.share * (below[width + level] - below[level])
                return row[level] + correction * spread
            }
            for level in 0..<median { row[level] = min(corrected(level), middle) }
            for level in median + 1..<width { row[level] = max(corrected(level), middle) }
            sort(row, 0..<median)
            sort(row, median + 1..<width)
        }
    }

    /// Insertion sort: the row is nearly always sorted already.
    private func sort(_ row: UnsafeMutablePointer<Float>, _ range: Range<Int>) {
        for index in range.dropFirst() {
            let value = row[index]
            var target = index
            while target > range.lowerBound, row[target - 1] > value {
                row[target] = row[target - 1]
                target -= 1
            }
            row[target] = value
        }
    }
}
