/// How unusual a slot is for this very series: four views of it, each held against the series' own most unusual slots.
///
/// A tail probability is only as good as the forecast's tails, which are far too thin for some series and too wide for
/// others, and a forecast that follows every level is surprised once by what lasts. So each view is ranked, see ``TopValues``:
///
/// 1. the tail probability of the value under its forecast, this slot's and the last one's;
/// 2. the value's distance from its long-run mean;
/// 3. the same of the level, a mean of a few slots, for what creeps;
/// 4. quiet: how far the tail probabilities of the last hours lie nearer the middle than in the long run, as those of a
///    sensor that is stuck do.
///
/// The bits of the four are added, as for independent views, less what is left of the last alarm: one alarm is not repeated
/// while it lasts. See docs/decisions/0015.
struct AnomalyScore {
    /// Floats of the state: slots seen, tails seen, long-run mean and level of the values, bits of the last tail, mean root
    /// of the bits in the long run and lately, what is left of the last alarm; then the peers of each view.
    static let count = 8 + views * TopValues.count
    private static let views = 4
    /// Slots that the means look back on.
    private static let longRun: Float = 2_048
    private static let level: Float = 16
    private static let lately: Float = 24
    /// What is left of an alarm after a slot: e⁻¹ after 256.
    private static let remaining: Float = 1 - 1 / 256
    /// Slots before the first that is judged, or a peer of later ones: the first forecasts of all are points, and whatever
    /// comes is far from them.
    private static let settling: Float = 50
    /// Slots after which one peer of each view is forgotten: eight times as many are remembered.
    private static let turn = 4_096

    private let floats: UnsafeMutablePointer<Float>

    init(at floats: UnsafeMutablePointer<Float>) { self.floats = floats }

    /// Takes a slot's value and its tail probability, NaN without a forecast.
    ///
    /// - Returns: bits, 0 for nothing unusual, at most 20.
    func take(_ value: Float, tail: Float) -> Float {
        count()
        follow(value)
        guard floats[0] > Self.settling else { return 0 }
        let bits = bits(of: tail)
        let height =
            topValues(0).take(bits) + topValues(1).take(distance(of: value))
            + topValues(2).take(distance(of: floats[3]))
            + topValues(3).take(max(0, floats[5] - floats[6]))
        floats[7] *= Self.remaining
        let alarm = max(0, height - floats[7])
        floats[7] = max(floats[7], height)
        return alarm
    }

    private func topValues(_ view: Int) -> TopValues { TopValues(at: floats + 8 + view * TopValues.count) }

    /// Counts the slot, and forgets a peer now and then, another place each time: 5 is prime to 8.
    private func count() {
        // Of a damaged state that passed every check, a NaN counts as the beginning.
        let seen = Int(max(0, min(floats[0], Float(Self.turn * (TopValues.count + 1))))) + 1
        let turns = seen / Self.turn
        floats[0] = Float(turns > TopValues.count ? Self.turn : seen)
        guard seen.isMultiple(of: Self.turn) else { return }
        for view in 0..<Self.views { topValues(view).forget(turns * 5 % TopValues.count) }
    }

    /// - Returns: the mean bits of this tail probability and the last one; a slot without counts as 0.
    private func bits(of tail: Float) -> Float {
        guard !tail.isNaN else {
            floats[4] = 0
            return 0
        }
        let bits = -TailProbability.logarithm(tail)
        defer { floats[4] = bits }
        floats[1] = min(floats[1] + 1, Self.longRun)
        let root = max(0, bits).squareRoot()
        floats[5] += (root - floats[5]) / floats[1]
        floats[6] += (root - floats[6]) / min(floats[1], Self.lately)
        return (bits + floats[4]) / 2
    }

    private func follow(_ value: Float) {
        let (long, short) = (min(floats[0], Self.longRun), min(floats[0], Self.level))
        // Divided first: the difference of two finite floats need not be one.
        floats[2] += value / long - floats[2] / long
        floats[3] += value / short - floats[3] / short
    }

    /// From the long-run mean.
    private func distance(of value: Float) -> Float { min((value - floats[2]).magnitude, .greatestFiniteMagnitude) }
}
