import Engine
import Forecasting
import HoltWintersForecaster
import Synchronization
import TestSupport
import Testing
import TimeSeries

/// A method whose models give an answer only while they are told to, as one in another process.
private final class Flaky: ForecastingMethod {
    let inner = HoltWinters()
    let isThere: Switch

    final class Switch: Sendable {
        private let state = Mutex(true)
        var isOn: Bool {
            get { state.withLock { $0 } }
            set { state.withLock { $0 = newValue } }
        }
    }

    init(_ isThere: Switch) { self.isThere = isThere }

    var manifest: Manifest { inner.manifest }

    func load(weights: [UInt8], specification: ForecastSpecification) throws -> any ForecastModel {
        FlakyModel(try inner.load(weights: weights, specification: specification), isThere)
    }
}

private final class FlakyModel: ForecastModel {
    private let inner: any ForecastModel
    private let isThere: Flaky.Switch

    init(_ inner: any ForecastModel, _ isThere: Flaky.Switch) { (self.inner, self.isThere) = (inner, isThere) }

    var stateCount: Int { inner.stateCount }
    var lags: [Int] { inner.lags }
    var initialState: [Float] { inner.initialState }
    var summary: String { inner.summary }

    func advance(_ batch: inout AdvanceBatch) {
        guard isThere.isOn else {
            for row in 0..<batch.count { batch.absent[row] = true }
            return
        }
        inner.advance(&batch)
    }
}

@Suite("Outages of a model")
struct OutageTests {
    /// Feeds `slots` one at a time, a commit each; the model is away for some.
    private func feed(_ engine: Engine, _ slots: Range<Int64>, away: ClosedRange<Int64>?, _ isThere: Flaky.Switch)
        async throws
    {
        var dice = SeededGenerator(7)
        for slot in 0..<slots.upperBound {
            let value = dice.value(at: slot * Fixture.cadence)
            guard slots.contains(slot) else { continue }
            isThere.isOn = !(away?.contains(slot) ?? false)
            _ = try await engine.ingest([reading("1", slot * Fixture.cadence, value)])
            // The shard has stepped before the model goes or comes.
            _ = try await engine.state(of: series("1"))
        }
        isThere.isOn = true
    }

    private func fixture(_ isThere: Flaky.Switch, lateness: Int64 = 32) throws -> Fixture {
        var fixture = try Fixture(lateness: lateness)
        fixture.methods = [Flaky(isThere)]
        fixture.configuration.forecasters[0].opponents = []
        return fixture
    }

    @Test("slots without an answer leave the state as it was, and a restart replays them so, bit for bit")
    func replayed() async throws {
        let isThere = Flaky.Switch()
        let fixture = try fixture(isThere)
        var engine = try await fixture.open()
        try await feed(engine, 0..<90, away: 61...72, isThere)
        let before = try await Outcome(engine, "1")
        engine = try await fixture.restart(engine)
        #expect(try await Outcome(engine, "1") == before)
        try engine.stop()

        let steady = try self.fixture(isThere)
        let other = try await steady.open()
        try await feed(other, 0..<90, away: nil, isThere)
        #expect(try await Outcome(other, "1").state != before.state)
        try other.stop()
    }

    @Test("a state kept in an outage is rolled back to as any other, when those before it are gone")
    func keptInOutage() async throws {
        let isThere = Flaky.Switch()
        // The oldest states that can be rolled back to lie in the outage, one after the other.
        for end in Int64(56)..<72 {
            let fixture = try fixture(isThere, lateness: 16)
            var engine = try await fixture.open()
            try await feed(engine, 0..<end, away: 40...53, isThere)
            _ = try await engine.ingest([reading("1", (end - 16) * Fixture.cadence, 30)])
            let before = try await Outcome(engine, "1")
            engine = try await fixture.restart(engine)
            #expect(try await Outcome(engine, "1") == before, "\(end)")
            try engine.stop()
        }
    }

    @Test("a correction from before an outage replays over it as over the outage it was")
    func corrected() async throws {
        let isThere = Flaky.Switch()
        let fixture = try fixture(isThere)
        var engine = try await fixture.open()
        try await feed(engine, 0..<90, away: 75...80, isThere)
        _ = try await engine.ingest([reading("1", 70 * Fixture.cadence, 30)])
        let before = try await Outcome(engine, "1")
        engine = try await fixture.restart(engine)
        #expect(try await Outcome(engine, "1") == before)
        try engine.stop()
    }

    @Test("while there is no answer there is no forecast, and the error says so; the next answer brings it back")
    func absent() async throws {
        let isThere = Flaky.Switch()
        let fixture = try fixture(isThere)
        let engine = try await fixture.open()
        try await feed(engine, 0..<40, away: nil, isThere)
        isThere.isOn = false
        _ = try await engine.ingest([reading("1", 40 * Fixture.cadence, 20)])
        await #expect(throws: EngineError.absent(series: series("1"), method: "holt-winters")) {
            _ = try await engine.forecast(of: series("1"))
        }
        isThere.isOn = true
        _ = try await engine.ingest([reading("1", 41 * Fixture.cadence, 21)])
        let forecast = try await engine.forecast(of: series("1"))
        #expect(forecast.forecast.values.allSatisfy { $0.isFinite })
        try engine.stop()
    }
}
