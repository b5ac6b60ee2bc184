/// Keeps intervals honest: every quantile is moved by what it was lately wrong by (online quantile tracking; Gibbs and
/// Candès, "Adaptive conformal inference under distribution shift", 2021).
///
/// The corrections, in units of the width of the forecast's outermost interval, are kept at leads 1, 2, 4, 8 … and
/// interpolated between them, so that neighbouring leads learn from each other. The median (the level nearest to one half)
/// is left alone.
struct Calibration: Sendable {
    let horizon: Int
    let levels: [Float]
    let median: Int
    /// How far the slots between two origins move a correction, each of them, and all of them at most.
    static let ratePerSlot: Float = 0.0021
    static let ratePerOrigin: Float = 0.025
    /// How much faster the far quantiles move: they miss seldom, and should not take a thousand slots to be right.
    static let haste: Float = 2
    /// What a correction never exceeds.
    static let limit: Float = 4

    /// By lead − 1: the knot below, and the share of the one above.
    private let places: [(knot: Int, share: Float)]
    /// By lead − 1: how far an error at that lead moves the knots below and above.
    private let steps: [(below: Float, above: Float)]

    init(horizon: Int, levels: [Float], median: Int, spacing: Int) {
        (self.horizon, self.levels, self.median) = (horizon, levels, median)
        places = (1...horizon).map { lead in
            let knot = Int.bitWidth - 1 - lead.leadingZeroBitCount
            return (knot, Float(lead - 1 << knot) / Float(1 << knot))
        }
        var sums = [Float](repeating: 0, count: (places.last?.knot ?? 0) + 2)
        for place in places {
            sums[place.knot] += 1 - place.share
            sums[place.knot + 1] += place.share
        }
        steps = places.enumerated().map { index, place in
            let origin = min(Self.ratePerOrigin, Self.ratePerSlot * Float(spacing))
            // Lead 1 is scored at every slot, the others at every origin.
            let rate = index == 0 ? origin / Float(spacing) : origin
            return (
                rate * (1 - place.share) / sums[place.knot],
                place.share == 0 ? 0 : rate * place.share / sums[place.knot + 1]
            )
        }
    }

    private var knots: Int { (places.last?.knot ?? 0) + 2 }
    /// Floats of the state: `[knots][quantiles]`.
    var count: Int { knots * levels.count }

    /// Learns from a `truth` at `lead` what its `forecast`, `[quantiles]`, was wrong by.
    func learn(
        lead: Int, truth: Float, forecast: UnsafePointer<Float>, _ corrections: UnsafeMutablePointer<Float>
    ) {
        let (place, step) = (places[lead - 1], steps[lead - 1])
        let below = corrections + place.knot * levels.count
        let above = below + levels.count
        for (level, nominal) in levels.enumerated() where level != median {
            // Neither above nor below: a constant series is right about everything.
            guard truth != forecast[level] else { continue }
            let isFar = nominal < 0.05 || nominal > 0.95
            let error = (truth > forecast[level] ? nominal : nominal - 1) * (isFar ? Self.haste : 1)
            below[level] = Self.limited(below[level] + step.below * error)
            if step.above > 0 { above[level] = Self.limited(above[level] + step.above * error) }
        }
    }

    private static func limited(_ x: Float) -> Float { max(-limit, min(limit, x)) }

    /// Corrects a forecast, `[horizon][quantiles]`, and puts each lead into ascending order on either side of its median,
    /// which keeps its bits: a quantile that would cross it stops there.
    func apply(_ corrections: UnsafePointer<Float>, to forecast: UnsafeMutablePointer<Float>) {
        let width = levels.count
        for lead in 0..<horizon {
            let place = places[lead]
            let (row, below) = (forecast + lead * width, corrections + place.knot * width)
            let (spread, middle) = (row[width - 1] - row[0], row[median])
            func corrected(_ level: Int) -> Float {
                let correction = below[level] + place.share * (below[width + level] - below[level])
                return row[level] + correction * spread
            }
            for level in 0..<median { row[level] = min(corrected(level), middle) }
            for level in median + 1..<width { row[level] = max(corrected(level), middle) }
            sort(row, 0..<median)
            sort(row, median + 1..<width)
        }
    }

    /// Insertion sort: nearly always there is nothing to do.
    private func sort(_ row: UnsafeMutablePointer<Float>, _ range: Range<Int>) {
        for place in range.dropFirst() {
            let value = row[place]
            var target = place
            while target > range.lowerBound, row[target - 1] > value {
                row[target] = row[target - 1]
                target -= 1
            }
            row[target] = value
        }
    }
}
