import Engine
import Testing
import TimeSeries

@Suite("Watchers")
struct WatcherTests {
    @Test("a watcher sees a forecast per commit of the series it selects")
    func events() async throws {
        let fixture = try Fixture()
        let engine = try await fixture.open()
        let stream = engine.watch(SeriesSelector("room,id=a*"))
        for index in 0..<5 { _ = try await engine.ingest([reading("a", Int64(index) * 10, 1), reading("b", 0, 1)]) }
        try await engine.heartbeat()
        try engine.stop()
        var seen: [Slot] = []
        for try await event in stream {
            if case .forecast(let forecast) = event.value { seen.append(forecast.forecast.origin) }
        }
        #expect(seen == (0..<5).map { Fixture.start / 10 + $0 })
    }

    @Test("a watcher that does not keep up is dropped; ingest does not wait for it")
    func slow() async throws {
        let fixture = try Fixture()
        let engine = try await fixture.open()
        let stream = engine.watch(.all)
        for index in 0..<3_000 { _ = try await engine.ingest([reading("a", Int64(index) * 10, 1)]) }
        try await engine.heartbeat()
        #expect(engine.watcherCount == 0)
        await #expect(throws: EngineError.watcherBehind(events: 1_024)) { for try await _ in stream {} }
        try engine.stop()
    }

    @Test("a watcher may go at the very moment it is told something", .timeLimit(.minutes(10)))
    func leaving() async throws {
        let fixture = try Fixture()
        let engine = try await fixture.open()
        for index in 0..<2_000 {
            let watching = Task { for try await _ in engine.watch(.all) { await Task.yield() } }
            async let receipt = engine.ingest([reading("a", Int64(index) * 10, 1)])
            // Sooner or later, so that the two meet in many ways.
            for _ in 0..<index % 40 { await Task.yield() }
            watching.cancel()
            _ = try await receipt
            _ = await watching.result
        }
        try await engine.heartbeat()
        #expect(engine.watcherCount == 0)
        try engine.stop()
    }
}
