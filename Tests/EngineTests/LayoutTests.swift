import Engine
import Forecasting
import TestSupport
import Testing
import TimeSeries

/// Forecasts the number of slots it has stepped over, and carries some numbers that say nothing.
private struct Counter: ForecastingMethod {
    let manifest = Manifest(name: "counter", version: "1", summary: "counts its slots", parameters: [])
    let ballast: Int

    func load(weights: [UInt8], specification: ForecastSpecification) throws -> any ForecastModel {
        CounterModel(stateCount: 1 + ballast)
    }
}

private final class CounterModel: ForecastModel {
    let stateCount: Int
    let lags: [Int] = []
    let summary = "a count"

    init(stateCount: Int) { self.stateCount = stateCount }

    var initialState: [Float] { Array(repeating: 0, count: stateCount) }

    func advance(_ batch: inout AdvanceBatch) {
        for row in 0..<batch.count { batch.states[row * stateCount] += 1 }
        for place in batch.forecasts.indices { batch.forecasts[place] = batch.states[0] }
    }
}

@Suite("States of another layout")
struct LayoutTests {
    @Test(
        "a checkpoint of another length is not gone on from: the series warms up anew over as many slots as it should")
    func otherLength() async throws {
        var fixture = try Fixture(method: "counter", lateness: 8)
        fixture.configuration.forecasters[0].warmUpSlots = 400
        fixture.methods = [Counter(ballast: 0)]
        var engine = try await fixture.open()
        for slot in 0..<1_000 as Range<Int64> {
            _ = try await engine.ingest([reading("1", slot * Fixture.cadence, 20)])
        }
        let before = try await engine.state(of: series("1")).values
        #expect(before[0] == 1_000)
        fixture.methods = [Counter(ballast: 3)]
        engine = try await fixture.restart(engine)
        let after = try await engine.state(of: series("1")).values
        #expect(after.count == before.count + 3)
        #expect((400...410).contains(after[0]))
        try engine.stop()
    }
}
