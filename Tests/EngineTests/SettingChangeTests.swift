import Engine
import Forecasting
import TestSupport
import Testing
import TimeSeries

@Suite("Another setting that states depend on begins a new epoch")
struct SettingChangeTests {
    private func reloaded(_ change: (inout EngineConfiguration) -> Void) async throws {
        var fixture = try Fixture(method: "holt-winters", maxGap: 50)
        var engine = try await ModelFixture.filled(fixture)
        // Gaps, several readings a slot: what the settings make a difference to.
        for name in ModelFixture.names {
            _ = try await engine.ingest([
                reading(name, 1_500, 20), reading(name, 1_503, 30), reading(name, 1_510, 1), reading(name, 2_900, 4),
            ])
        }
        let before = try await ModelFixture.look(engine)
        change(&fixture.configuration)
        let (changed, warnings) = try await engine.reload(fixture.configuration)
        #expect(changed == ModelFixture.names.count)
        #expect(warnings.contains { $0.contains("changed from") })
        for when in ["at once", "later"] {
            if when == "later" {
                for name in ModelFixture.names {
                    _ = try await engine.ingest([reading(name, 3_200, 7), reading(name, 3_190, 9)])
                }
            }
            let live = try await ModelFixture.look(engine)
            #expect(live != before)
            engine = try await fixture.restart(engine)
            #expect(try await ModelFixture.look(engine) == live, "\(when)")
        }
        #expect(try await engine.reload(fixture.configuration).changed == 0)
        try engine.stop()
    }

    @Test("another max_gap begins a new epoch, and a restart finds its states") func maxGap() async throws {
        try await reloaded { $0.forecasters[0].maxGap = 2 }
    }

    @Test("another aggregate begins a new epoch, and a restart finds its states") func aggregate() async throws {
        try await reloaded { $0.series[0].aggregate = .max }
    }

    @Test(
        "another cadence begins a new epoch on slots of its own, and a restart finds its states",
        arguments: [5, 30, 60])
    func cadence(_ seconds: Int64) async throws {
        try await reloaded { $0.series[0].cadence = Cadence(nanoseconds: seconds * 1_000_000_000) }
    }

    @Test(
        "a cadence that was inferred from a burst gives way to a declared one, by a reload or at a start",
        arguments: [true, false], [true, false])
    func burst(byReload: Bool, isForecast: Bool) async throws {
        var fixture = try Fixture(method: "holt-winters")
        fixture.configuration.series[0].cadence = nil
        if !isForecast { fixture.configuration.forecasters = [] }
        var engine = try await fixture.open()
        for index in 0..<20 {
            var early = reading("s0", 0, 1)
            early.timestamp = early.timestamp?.advanced(byNanoseconds: Int64(index) * 1_000_000)
            _ = try await engine.ingest([early])
        }
        for minute in 1..<200 as Range<Int64> {
            _ = try await engine.ingest([reading("s0", minute * 60, Double(minute % 9))])
        }
        #expect(try await engine.series(.all)[0].cadence?.nanoseconds == 1_000_000)
        fixture.configuration.series[0].cadence = Cadence(nanoseconds: 60_000_000_000)
        if byReload {
            _ = try await engine.reload(fixture.configuration)
        } else {
            engine = try await fixture.restart(engine)
        }
        for _ in 0..<2 {
            #expect(try await engine.series(.all)[0].cadence?.nanoseconds == 60_000_000_000)
            if isForecast {
                let state = try await engine.state(of: series("s0"))
                #expect(state.slot == (Fixture.start + 199 * 60) / 60)
                let forecast = try await engine.forecast(of: series("s0"))
                #expect(forecast.history.suffix(50).map(\.value) == (150..<200).map { Float($0 % 9) })
            }
            engine = try await fixture.restart(engine)
        }
        try engine.stop()
    }

    @Test("another time zone begins a new epoch, and a restart finds its states")
    func timeZone() async throws {
        var fixture = try Fixture(method: "lstm")
        var engine = try await ModelFixture.filled(fixture)
        _ = try await fixture.train(engine)
        _ = try await engine.promote("house", number: 3)
        fixture.configuration.calendar = LocalCalendar(name: "Asia/Kathmandu") { _ in 20_700 }
        #expect(try await engine.reload(fixture.configuration).changed == ModelFixture.names.count)
        for name in ModelFixture.names { _ = try await engine.ingest([reading(name, 1_400, 7)]) }
        let live = try await ModelFixture.look(engine)
        engine = try await fixture.restart(engine)
        #expect(try await ModelFixture.look(engine) == live)
        try engine.stop()
    }

    @Test("settings that changed while the daemon was away begin a new epoch at the start")
    func whileAway() async throws {
        var fixture = try Fixture(method: "holt-winters", maxGap: 50)
        var engine = try await ModelFixture.filled(fixture)
        for name in ModelFixture.names { _ = try await engine.ingest([reading(name, 2_900, 4)]) }
        fixture.configuration.forecasters[0].maxGap = 2
        engine = try await fixture.restart(engine)
        #expect(engine.warnings.contains { $0.contains("max_gap changed from 50 to 2") })
        let live = try await ModelFixture.look(engine)
        engine = try await fixture.restart(engine)
        #expect(engine.warnings.isEmpty)
        #expect(try await ModelFixture.look(engine) == live)
        try engine.stop()
    }

    @Test("series that no selector names any more are forecast no more, and again when one does")
    func letGo() async throws {
        var fixture = try Fixture(method: "holt-winters")
        var engine = try await ModelFixture.filled(fixture)
        let all = fixture.configuration.forecasters[0].selectors
        fixture.configuration.forecasters[0].selectors = [SeriesSelector("none*")]
        _ = try await engine.reload(fixture.configuration)
        await #expect(throws: EngineError.self) { try await engine.forecast(of: series("s0")) }
        fixture.configuration.forecasters[0].selectors = all
        #expect(try await engine.reload(fixture.configuration).changed == ModelFixture.names.count)
        let live = try await ModelFixture.look(engine)
        _ = try await engine.forecast(of: series("s0"))
        engine = try await fixture.restart(engine)
        #expect(try await ModelFixture.look(engine) == live)
        try engine.stop()
    }
}
