import Engine
import Testing
import TimeSeries

@Suite("Forecasts that are told at once", .timeLimit(.minutes(10)))
struct ForecastCacheTests {
    /// An engine with `count` readings, and a clock that stands at the newest.
    private static func open(_ fixture: Fixture, _ count: Int64 = 20) async throws -> Engine {
        let engine = try await fixture.open()
        fixture.clock.set(seconds: Fixture.start + count * Fixture.cadence)
        for slot in 0..<count {
            _ = try await engine.ingest([reading("a", slot * Fixture.cadence, Double(slot % 5))])
        }
        return engine
    }

    private static func slot(_ number: Int64) -> Slot { Fixture.start / Fixture.cadence + number }

    /// What a reply is made of, to the bit.
    private static func content(_ made: SeriesForecast?) -> [String] {
        guard let made else { return [] }
        return [
            "\(made.series)", made.forecaster, made.method, "\(made.version)", "\(made.forecast.origin)",
            "\(made.forecast.isStale)", "\(made.forecast.values.map(\.bitPattern))", "\(made.history)",
        ]
    }

    @Test("a forecast that somebody asked for is told at once, and is what the shard tells")
    func shown() async throws {
        let fixture = try Fixture()
        let engine = try await Self.open(fixture)
        #expect(engine.cachedForecast(of: series("a")) == nil, "nobody has asked yet")
        let asked = try await engine.forecast(of: series("a"))
        let shown = try #require(engine.cachedForecast(of: series("a")))
        #expect(Self.content(shown.value) == Self.content(asked))
        #expect(engine.cachedForecast(of: series("a")) === shown, "one for all readers")
        #expect(engine.cachedForecast(of: series("b")) == nil)
        try engine.stop()
    }

    @Test("what is told at once has seen every acknowledged reading")
    func readsWhatWasWritten() async throws {
        let fixture = try Fixture()
        let engine = try await Self.open(fixture)
        var atOnce = 0
        for number in Int64(20)..<420 {
            fixture.clock.set(seconds: Fixture.start + number * Fixture.cadence)
            _ = try await engine.forecast(of: series("a"))
            _ = engine.cachedForecast(of: series("a"))
            // Others of the shard keep it busy, so that the reading may still be on its way.
            let others = (0..<20).map { reading("x\($0)", number * Fixture.cadence, 1) }
            _ = try await engine.ingest(others + [reading("a", number * Fixture.cadence, Double(number % 7))])
            if let shown = engine.cachedForecast(of: series("a")) {
                atOnce += 1
                #expect(shown.value.forecast.origin == Self.slot(number))
                #expect(shown.value.history.last?.value == Float(number % 7))
            }
            if number % 10 == 0 {
                // An earlier slot, corrected.
                _ = try await engine.ingest([reading("a", (number - 3) * Fixture.cadence, 40)])
                let shown = engine.cachedForecast(of: series("a"))?.value
                let asked = try await engine.forecast(of: series("a"))
                #expect(shown == nil || Self.content(shown) == Self.content(asked))
            }
        }
        try engine.stop()
    }

    @Test("a forecast that was read is followed by the next one, and one that nobody read is not")
    func renewed() async throws {
        let fixture = try Fixture()
        let engine = try await Self.open(fixture)
        _ = try await engine.forecast(of: series("a"))
        #expect(engine.cachedForecast(of: series("a")) != nil)
        func step(_ number: Int64) async throws {
            _ = try await engine.ingest([reading("a", number * Fixture.cadence, 3)])
            try await engine.heartbeat()
        }
        try await step(20)
        #expect(engine.cachedForecast(of: series("a"))?.value.forecast.origin == Self.slot(20))
        try await step(21)
        try await step(22)
        #expect(engine.cachedForecast(of: series("a")) == nil, "that of slot 21 was not read")
        try engine.stop()
    }

    @Test("a silent series is not told at once: its forecast is another for each slot that passes")
    func silent() async throws {
        let fixture = try Fixture()
        let engine = try await Self.open(fixture)
        _ = try await engine.forecast(of: series("a"))
        fixture.clock.set(seconds: Fixture.start + 24 * Fixture.cadence)
        #expect(engine.cachedForecast(of: series("a"))?.value.forecast.isStale == false)
        fixture.clock.set(seconds: Fixture.start + 25 * Fixture.cadence)
        #expect(engine.cachedForecast(of: series("a")) == nil)
        #expect(try await engine.forecast(of: series("a")).forecast.isStale)
        #expect(engine.cachedForecast(of: series("a")) == nil, "a stale one is not shown")
        // Back in time.
        fixture.clock.set(seconds: Fixture.start + 22 * Fixture.cadence)
        let shown = engine.cachedForecast(of: series("a"))?.value
        #expect(shown == nil || shown?.forecast.isStale == false)
        try engine.stop()
    }

    @Test("after a reset and after forgetting, nothing old is told")
    func changes() async throws {
        let fixture = try Fixture()
        let engine = try await Self.open(fixture)
        _ = try await engine.forecast(of: series("a"))
        #expect(engine.cachedForecast(of: series("a")) != nil)
        try await engine.reset(series("a"), isWarm: false)
        let shown = engine.cachedForecast(of: series("a"))?.value
        let asked = try? await engine.forecast(of: series("a"))
        #expect(shown == nil || Self.content(shown) == Self.content(asked))
        _ = try await engine.ingest([reading("a", 20 * Fixture.cadence, 3)])
        _ = try await engine.forecast(of: series("a"))
        #expect(engine.cachedForecast(of: series("a")) != nil)
        _ = try await engine.forget(SeriesSelector(series("a")))
        #expect(engine.cachedForecast(of: series("a")) == nil)
        try engine.stop()
    }
}
