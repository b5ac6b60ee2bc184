import Basics
internal import CRecurrentKernels
import TimeSeries

/// The score state of one series, within the memory of its state.
///
/// Each new value is scored against the forecasts made for it; the results determine how the next forecasts are mixed
/// and calibrated.
struct ScoreState {
    let layout: ScoreLayout
    let mix: ExpertMix
    /// `[layout.count]`. Reassigned for each row of a batch, because creating a score state increments the reference
    /// counts of a dozen arrays.
    var floats: UnsafeMutablePointer<Float>

    /// - Parameter floats: `[layout.count]`.
    init(_ layout: ScoreLayout, _ mix: ExpertMix, at floats: UnsafeMutablePointer<Float>) {
        (self.layout, self.mix, self.floats) = (layout, mix, floats)
    }

    private var block: UnsafeMutablePointer<Float> { floats + layout.blockStart }
    private var next: UnsafeMutablePointer<Float> { floats + layout.next }
    private var corrections: UnsafeMutablePointer<Float> { floats + layout.corrections }
    private func pending(_ index: Int) -> UnsafeMutablePointer<Float> { floats + layout.pending(index) }

    // MARK: Scoring

    /// Scores the value of `slot`, NaN if there is none.
    func observe(_ value: Float, slot: Slot, cadenceSeconds: Float) {
        let elapsed = elapsed(to: slot)
        let length = ScoreBlock.slots(cadenceSeconds: cadenceSeconds)
        let offset = layout.block.begin(slot, length: length, block)
        floats[layout.tail] = .nan
        floats[layout.surprise] = 0
        if !value.isNaN, elapsed == 1, !next[0].isNaN { scoreNext(value, offset) }
        if !value.isNaN {
            let surprise = AnomalyScore(at: floats + layout.surpriseState)
            floats[layout.surprise] = surprise.observe(value, tail: floats[layout.tail])
        }
        for index in 0..<layout.pendingCount where pending(index)[layout.age] >= 0 {
            age(pending(index), by: elapsed, value)
        }
        if !value.isNaN { updateScale(value) }
        floats[layout.slot] = Float(truncating24: slot)
    }

    /// The number of slots since the newest; 0 before the first.
    private func elapsed(to slot: Slot) -> Int64 {
        let newest = floats[layout.slot]
        return newest < 0 ? 0 : (slot - Int64(newest)) & 0xFF_FFFF
    }

    /// - Parameter offset: the offset of the slot in its block.
    private func scoreNext(_ value: Float, _ offset: Int) {
        let loss = pinball(value, next)
        layout.block.record(lead: 1, truth: value, forecast: next, loss: loss, layout, block)
        floats[layout.tail] = TailProbability.of(
            value, forecast: next, levels: layout.levels,
            floor: max(1e-3 * floats[layout.scale], 1e-6 * value.magnitude))
        layout.block.record(tail: floats[layout.tail], offset: offset, block)
        layout.calibration.learn(lead: 1, truth: value, forecast: next, corrections)
        let scale = floats[layout.scale]
        if scale > 0 { updateDrift(loss / scale) }
    }

    /// The mean of twice the pinball loss over the quantiles.
    private func pinball(_ truth: Float, _ forecast: UnsafePointer<Float>) -> Float {
        var sum: Float = 0
        for (index, level) in layout.levels.enumerated() {
            let difference = truth - forecast[index]
            sum += crk_pinball_slope(level, difference) * difference
        }
        return 2 * sum / Float(layout.width)
    }

    private func updateDrift(_ loss: Float) {
        let seen = min(floats[layout.scoredSlots] + 1, 4_096)
        floats[layout.scoredSlots] = seen
        floats[layout.recentLoss] += (min(loss, 100) - floats[layout.recentLoss]) / min(seen, 48)
        floats[layout.longRunLoss] += (min(loss, 100) - floats[layout.longRunLoss]) / min(seen, 1_024)
    }

    private func age(_ origin: UnsafeMutablePointer<Float>, by elapsed: Int64, _ value: Float) {
        let age = Int64(origin[layout.age]) + elapsed
        origin[layout.age] = Float(min(age, Int64(layout.horizon) + 1))
        if age >= 1, age <= Int64(layout.horizon), !value.isNaN { score(origin, lead: Int(age), value) }
        if age >= Int64(layout.horizon) { finish(origin) }
    }

    private func score(_ origin: UnsafeMutablePointer<Float>, lead: Int, _ value: Float) {
        if lead > 1 {
            let forecast = origin + layout.issued + (lead - 1) * layout.width
            let loss = pinball(value, forecast)
            layout.block.record(lead: lead, truth: value, forecast: forecast, loss: loss, layout, block)
            layout.calibration.learn(lead: lead, truth: value, forecast: forecast, corrections)
        }
        if layout.experts > 1, let index = layout.expertLeads.firstIndex(of: lead) {
            compareExperts(origin, index, value)
        }
    }

    private func compareExperts(_ origin: UnsafeMutablePointer<Float>, _ leadIndex: Int, _ value: Float) {
        let count = layout.expertLevels.count
        for expert in 0..<layout.experts {
            let expertForecast =
                origin + layout.expertForecasts + expert * layout.expertCount + leadIndex * count
            for (index, level) in layout.expertLevels.enumerated() {
                let difference = value - expertForecast[index]
                origin[layout.sums + expert] += crk_pinball_slope(layout.levels[level], difference) * difference
            }
        }
        origin[layout.comparisons] += 1
    }

    private func finish(_ origin: UnsafeMutablePointer<Float>) {
        origin[layout.age] = -1
        guard layout.experts > 1, origin[layout.comparisons] > 0 else { return }
        for expert in 0..<layout.experts { origin[layout.sums + expert] /= origin[layout.comparisons] }
        mix.learn(
            origin + layout.sums, losses: floats + layout.losses, finished: &floats[layout.finished],
            weights: floats + layout.weights)
    }

    private func updateScale(_ value: Float) {
        let last = floats[layout.last]
        floats[layout.last] = value
        guard !last.isNaN else { return }
        floats[layout.steps] = min(floats[layout.steps] + 1, 1_024)
        floats[layout.scale] += ((value - last).magnitude - floats[layout.scale]) / floats[layout.steps]
    }

    // MARK: Issuing forecasts

    /// Mixes and calibrates the experts' `forecasts`, `[experts][horizon][quantiles]`.
    ///
    /// If the result is not usable, see ``UsableForecast``, all of `out` is NaN: no forecast.
    ///
    /// - Parameters:
    ///   - isScored: whether they were made from a slot with a value: only such forecasts are scored later.
    ///   - out: `[horizon][quantiles]`.
    func issue(_ forecasts: UnsafePointer<Float>, slot: Slot, isScored: Bool, to out: UnsafeMutablePointer<Float>) {
        let count = layout.horizon * layout.width
        if layout.experts > 1 {
            mix.combine(forecasts, count: count, weights: floats + layout.weights, to: out)
        } else {
            out.update(from: forecasts, count: count)
        }
        layout.calibration.apply(corrections, to: out)
        let isTold = UsableForecast.isUsable(out, count) || PlantedBug.unusableForecastTold.isActive
        if !isTold { for index in 0..<count { out[index] = .nan } }
        guard isScored else { return }
        next.update(from: out, count: layout.width)
        guard slot.isMultiple(of: Int64(layout.spacing)), !out[0].isNaN else { return }
        recordOrigin(forecasts, out, count)
    }

    /// Records that nothing was forecast from the newest slot.
    func issueNothing() { for index in 0..<layout.width { next[index] = .nan } }

    private func recordOrigin(_ forecasts: UnsafePointer<Float>, _ issued: UnsafePointer<Float>, _ count: Int) {
        guard let free = (0..<layout.pendingCount).first(where: { pending($0)[layout.age] < 0 }) else { return }
        let origin = pending(free)
        origin[layout.age] = 0
        (origin + layout.issued).update(from: issued, count: count)
        guard layout.experts > 1 else { return }
        origin[layout.comparisons] = 0
        for expert in 0..<layout.experts {
            origin[layout.sums + expert] = 0
            var target = layout.expertForecasts + expert * layout.expertCount
            for lead in layout.expertLeads {
                for level in layout.expertLevels {
                    let expertForecast = forecasts[expert * count + (lead - 1) * layout.width + level]
                    // An unusable forecast is treated as missing, and counts as worse than any other.
                    origin[target] = UsableForecast.isUsable(expertForecast) ? expertForecast : .nan
                    target += 1
                }
            }
        }
    }
}
