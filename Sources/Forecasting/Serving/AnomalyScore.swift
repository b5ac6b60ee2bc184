/// How unusual a slot is for its series: four views of the slot, each ranked against the most unusual slots of the same
/// series.
///
/// A tail probability is only as good as the forecast's tails, which are far too thin for some series and too wide for
/// others; and a forecast that adapts to every new level is surprised only once by a lasting change. So each view is
/// ranked, see ``TopValues``:
///
/// 1. the tail probability of the value under its forecast, averaged in bits over this slot and the previous one;
/// 2. the value's distance from its long-run mean;
/// 3. the same distance for the level, a mean over a few slots, which reveals slow drifts;
/// 4. quietness: how much closer to the middle of the forecast recent values are than in the long run, as they are for
///    a stuck sensor.
///
/// The bits of the four views are added, as if the views were independent, and reduced by the decaying remainder of the
/// last alarm, so that one alarm is not repeated while it lasts. See docs/decisions/0015.
struct AnomalyScore {
    /// The number of floats in the state: slots seen, tails seen, long-run mean and level of the values, bits of the
    /// last tail, long-run and recent mean of the square root of the bits, remainder of the last alarm; then the top
    /// values of each view.
    static let count = 8 + views * TopValues.count
    private static let views = 4
    /// The number of slots over which the means are taken.
    private static let longRun: Float = 2_048
    private static let level: Float = 16
    private static let recent: Float = 24
    /// The factor by which an alarm decays per slot: to e⁻¹ after 256 slots.
    private static let decay: Float = 1 - 1 / 256
    /// The number of initial slots that are neither scored nor remembered as top values: the very first forecasts are
    /// points, and every value is far from them.
    private static let burnIn: Float = 50
    /// The number of slots after which one top value of each view is dropped; the eight kept values thus span about
    /// eight times as many slots.
    private static let forgettingInterval = 4_096

    private let floats: UnsafeMutablePointer<Float>

    init(at floats: UnsafeMutablePointer<Float>) { self.floats = floats }

    /// Scores a slot from its value and its tail probability, which is NaN without a forecast.
    ///
    /// - Returns: bits, 0 for nothing unusual, at most 20.
    func observe(_ value: Float, tail: Float) -> Float {
        count()
        updateMeans(value)
        guard floats[0] > Self.burnIn else { return 0 }
        let bits = bits(of: tail)
        let bitSum =
            topValues(0).insert(bits) + topValues(1).insert(distance(of: value))
            + topValues(2).insert(distance(of: floats[3]))
            + topValues(3).insert(max(0, floats[5] - floats[6]))
        floats[7] *= Self.decay
        let alarm = max(0, bitSum - floats[7])
        floats[7] = max(floats[7], bitSum)
        return alarm
    }

    private func topValues(_ view: Int) -> TopValues { TopValues(at: floats + 8 + view * TopValues.count) }

    /// Counts the slot and periodically drops one top value, at a different rank each time: 5 and 8 are coprime.
    private func count() {
        // In a damaged state that passed every check, NaN counts as the beginning.
        let seen = Int(max(0, min(floats[0], Float(Self.forgettingInterval * (TopValues.count + 1))))) + 1
        let intervals = seen / Self.forgettingInterval
        floats[0] = Float(intervals > TopValues.count ? Self.forgettingInterval : seen)
        guard seen.isMultiple(of: Self.forgettingInterval) else { return }
        for view in 0..<Self.views { topValues(view).remove(at: intervals * 5 % TopValues.count) }
    }

    /// - Returns: the mean bits of this tail probability and the previous one; a slot without one counts as 0.
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
        floats[6] += (root - floats[6]) / min(floats[1], Self.recent)
        return (bits + floats[4]) / 2
    }

    private func updateMeans(_ value: Float) {
        let (long, short) = (min(floats[0], Self.longRun), min(floats[0], Self.level))
        // Divided before subtracting: the difference of two finite floats may overflow.
        floats[2] += value / long - floats[2] / long
        floats[3] += value / short - floats[3] / short
    }

    /// The distance from the long-run mean, limited to finite numbers.
    private func distance(of value: Float) -> Float { min((value - floats[2]).magnitude, .greatestFiniteMagnitude) }
}
