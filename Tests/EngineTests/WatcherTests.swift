import Engine
import TestSupport
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
        for await event in stream {
            if case .forecast(let forecast) = event.value { seen.append(forecast.forecast.origin) }
        }
        #expect(seen == (0..<5).map { Fixture.start / 10 + $0 })
    }

    @Test("a watcher that comes after a burst of many series loses nothing")
    func burst() async throws {
        let fixture = try Fixture(method: "seasonal-naive")
        let engine = try await fixture.open()
        let stream = engine.watch(.all)
        for slot in 0..<4 as Range<Int64> {
            _ = try await engine.ingest((0..<5_000).map { reading("\($0)", slot * 10, 1) })
        }
        try await engine.heartbeat()
        try engine.stop()
        var seen: [SeriesKey: [Slot]] = [:]
        for await event in stream {
            guard case .forecast(let forecast) = event.value else { throw TestError("\(event.value)") }
            seen[forecast.series, default: []].append(forecast.forecast.origin)
        }
        #expect(seen.count == 5_000)
        #expect(seen.values.allSatisfy { $0 == (0..<4).map { Fixture.start / 10 + $0 } })
    }

    @Test(
        "a watcher that does not keep up is told how many events it has lost, and goes on; ingest does not wait for it")
    func slow() async throws {
        let fixture = try Fixture(method: "seasonal-naive")
        let engine = try await fixture.open()
        let stream = engine.watch(.all)
        var iterator = stream.makeAsyncIterator()
        for slot in 0..<14 as Range<Int64> {
            _ = try await engine.ingest((0..<5_000).map { reading("\($0)", slot * 10, 1) })
        }
        try await engine.heartbeat()
        var (seen, lost) = (0, 0)
        while lost == 0, let event = await iterator.next() {
            if case .lost(let count) = event.value { lost = count } else { seen += 1 }
        }
        #expect(seen > 20_000)
        #expect(seen + lost == 70_000)
        #expect(engine.watcherCount == 1)
        _ = try await engine.ingest([reading("1", 1_000, 1)])
        let next = await iterator.next()
        guard case .forecast(let forecast)? = next?.value else { throw TestError("no forecast") }
        #expect(forecast.forecast.origin == Fixture.start / 10 + 100)
        try engine.stop()
    }

    @Test("a watcher may go at the very moment it is told something", .timeLimit(.minutes(10)))
    func leaving() async throws {
        let fixture = try Fixture()
        let engine = try await fixture.open()
        for index in 0..<2_000 {
            let watching = Task { for await _ in engine.watch(.all) { await Task.yield() } }
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
