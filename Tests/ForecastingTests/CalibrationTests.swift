import Forecasting
import TestSupport
import Testing
import TimeSeries

extension SeededGenerator {
    /// Mostly small, sometimes very large.
    mutating func heavy() -> Float {
        let x = Float.random(in: 0.001...1, using: &self)
        return x * x * x / Float.random(in: 0.01...1, using: &self)
    }
}

/// Ascending quantiles that are another fan at every slot and lead, often narrow on one side and wide on the other.
private final class RandomFans: ForecastModel {
    let stateCount = 1
    let lags: [Int] = []
    let initialState: [Float] = [0]
    let summary = "random fans"
    let specification: ForecastSpecification

    init(_ specification: ForecastSpecification) { self.specification = specification }

    /// `[horizon][quantiles]`.
    func forecast(_ slot: Slot) -> [Float] {
        var dice = SeededGenerator(UInt64(slot))
        return (0..<specification.horizon).flatMap { _ in
            let center: Float = [0, -0.0, 21, -3].randomElement(using: &dice) ?? 0
            let (low, high) = (dice.heavy(), dice.heavy())
            let median = specification.quantiles.medianIndex
            var row = [Float](repeating: center, count: specification.quantiles.count)
            for level in 0..<median { row[level] -= low * Float.random(in: 0...1, using: &dice) }
            for level in row.indices where level > median { row[level] += high * Float.random(in: 0...1, using: &dice) }
            // The median keeps its place, and its sign if it is zero.
            return row[..<median].sorted() + [center] + row[(median + 1)...].sorted()
        }
    }

    func advance(_ batch: inout AdvanceBatch) {
        guard batch.wantsForecasts else { return }
        batch.forecasts = batch.slots.flatMap { forecast($0) }
    }
}

@Suite("Calibrated quantiles")
struct CalibrationTests {
    private static let levels: [[Double]] = [
        [0.05, 0.5, 0.95], [0.025, 0.1, 0.5, 0.9, 0.975], [0.1, 0.9], [0.7, 0.8, 0.99], [0.01, 0.02, 0.6],
        [0.05, 0.25, 0.45, 0.9], [0.5], [0.3], [0.01, 0.2, 0.4, 0.49, 0.52, 0.9, 0.95, 0.999],
    ]

    @Test("the median keeps its bits whatever was learnt, and the others ascend on their side of it", arguments: levels)
    func median(_ levels: [Double]) throws {
        let quantiles = try #require(QuantileLevels(levels))
        let specification = ForecastSpecification(horizon: 5, quantiles: quantiles)
        let model = RandomFans(specification)
        let served = ServedModel(model, specification: specification)
        let (width, median) = (quantiles.count, quantiles.medianIndex)
        var state = served.initialState
        var dice = SeededGenerator(11)
        var moved = 0
        for slot in 1_000..<Slot(9_000) {
            var batch = AdvanceBatch(
                count: 1, model: served, forecastCount: specification.forecastCount, wantsForecasts: true)
            (batch.states, batch.slots[0]) = (state, slot)
            // For a thousand slots at a time all truths are far above, then far below.
            batch.values[0] = (slot / 1_000 % 2 == 0 ? 1 : -1) * dice.heavy() * 1e4
            batch.calendar[0] = CalendarTime(localSeconds: slot * 3_600, cadenceSeconds: 3_600)
            served.advance(&batch)
            state = batch.states
            let raw = model.forecast(slot)
            for start in stride(from: 0, to: raw.count, by: width) {
                let row = batch.forecasts[start..<start + width]
                #expect(row[start + median].bitPattern == raw[start + median].bitPattern, "slot \(slot)")
                #expect(zip(row, row.dropFirst()).allSatisfy { $0 <= $1 }, "slot \(slot): \(row)")
            }
            if batch.forecasts != raw { moved += 1 }
        }
        #expect(moved > 7_000 || width == 1, "nothing was calibrated")
    }
}
