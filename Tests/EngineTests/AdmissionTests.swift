import Engine
import Storage
import TestSupport
import Testing
import TimeSeries

@Suite("What a commit takes")
struct AdmissionTests {
    @Test("readings find their series in whatever order they come, and after others were forgotten")
    func finding() async throws {
        let fixture = try Fixture()
        let engine = try await fixture.open()
        var second: Int64 = 0
        func send(_ places: [Int]) async throws {
            second += 10
            let time = second
            let receipt = try await engine.ingest(places.map { reading("s\($0)", time, Double($0)) })
            #expect(receipt.accepted == places.count)
        }
        let all = Array(0..<20)
        for places in [all, all, all.reversed(), all.filter { $0 % 3 == 0 }, [7, 7, 3, 7], all] {
            try await send(places)
        }
        #expect(try await engine.forget(SeriesSelector("room,id=s1*")).count == 11)
        for places in [all.filter { !"\($0)".hasPrefix("1") }, [2, 19, 0, 1], all] { try await send(places) }
        for summary in try await engine.series(.all) {
            let value = try summary.newestValue.orThrow()
            #expect(summary.series == reading("s\(Int(value))", 0, 0).key)
            #expect(summary.newest == reading("", second, 0).timestamp)
            #expect(summary.counts.corrected == 0)
        }
        #expect(engine.seriesCount == 20)
        try engine.stop()
    }

    @Test(
        "every finite double is kept and exported to the bit; one beyond 1e18 counts as missing and harms no forecast")
    func large() async throws {
        let fixture = try Fixture()
        var engine = try await fixture.open()
        let values = [
            3.5e38, -3.5e38, 1e308, -1.7976931348623157e308, 3.4028235e38, .leastNonzeroMagnitude, 0, 1e19, 1e18,
        ]
        let all = (0..<40).flatMap { round in
            values.enumerated().map { index, value in
                reading("a", Int64(round * values.count + index) * 10, value)
            }
        }
        #expect(try await engine.ingest(all).accepted == all.count)
        for _ in 0..<2 {
            var (found, export) = ([Double](), try engine.export(.all, in: .distantPast ... .distantFuture))
            while let piece = try export.next() { found += piece.readings.map(\.value) }
            #expect(found == all.map(\.value))
            let state = try await engine.state(of: series("a"))
            #expect(state.slot > 0)
            engine = try await fixture.restart(engine)
            #expect(try await engine.state(of: series("a")).values.map(\.bitPattern) == state.values.map(\.bitPattern))
        }
        try engine.stop()
    }

    @Test(
        "a new series whose name has an unprintable character is refused with the code point; one from before goes on")
    func unprintableNames() async throws {
        let fixture = try Fixture()
        let old = SeriesKey(measurement: "old\u{9B}31m", field: "t")
        let store = try Store(path: fixture.folder.path("nilo.db"))
        _ = try store.write {
            try $0.insertSeries(
                key: old, aggregate: .mean, forecaster: "house", createdAt: .from(seconds: Fixture.start))
        }
        try store.close()
        let engine = try await fixture.open()
        func reading(_ key: SeriesKey) -> IncomingReading {
            IncomingReading(key: key, timestamp: .from(seconds: Fixture.start), value: 1)
        }
        let bad: [Unicode.Scalar] = [
            "\u{1B}", "\u{7F}", "\u{85}", "\u{200E}", "\u{202E}", "\u{2028}", "\u{2066}", "\u{61C}",
        ]
        let keys = bad.flatMap { character in
            [
                SeriesKey(measurement: "a\(character)b", field: "t"),
                SeriesKey(measurement: "a", tags: [("id", "\(character)")], field: "t"),
                SeriesKey(measurement: "a", field: "t\(character)"),
            ]
        }
        let receipt = try await engine.ingest((keys + [old, SeriesKey(measurement: "ünï", field: "漢")]).map(reading))
        #expect(receipt.accepted == 2)
        #expect(receipt.refusals.map(\.character) == bad.flatMap { [$0, $0, $0] })
        #expect(receipt.refusals.allSatisfy { $0.reason == .unprintableName })
        #expect("\(receipt.refusals[12])".hasSuffix("not U+202E"))
        #expect(engine.ingestCounts.refused == [.unprintableName: keys.count])
        #expect(try await engine.series(.all).map(\.series.description).contains("old\u{9B}31m t"))
        try engine.stop()
    }

    @Test("NaN, infinities and timestamps far ahead are refused one by one, named and counted; neighbours are kept")
    func refusals() async throws {
        let fixture = try Fixture()
        let engine = try await fixture.open()
        let ahead = reading("a", 1_000_000 + 301, 1)
        let receipt = try await engine.ingest([
            reading("a", 0, 1), reading("a", 1, .nan), reading("a", 2, .infinity), ahead,
            reading("a", 1_000_000 + 299, 2),
            IncomingReading(key: ahead.key, timestamp: .distantPast, value: 1),
        ])
        #expect(receipt.accepted == 2)
        #expect(
            receipt.refusals == [
                Refusal(index: 1, reason: .notFinite), Refusal(index: 2, reason: .notFinite),
                Refusal(index: 3, reason: .tooFarAhead), Refusal(index: 5, reason: .outOfRange),
            ])
        #expect(engine.ingestCounts.refused == [.notFinite: 2, .tooFarAhead: 1, .outOfRange: 1])
        try engine.stop()
    }

    @Test("a reading without a timestamp has the time of its arrival, however long its commit waits")
    func arrivalTime() async throws {
        var fixture = try Fixture()
        fixture.configuration.commitDelay = 3_600_000_000_000
        let engine = try await fixture.open()
        var bare = reading("a", 0, 1)
        bare.timestamp = nil
        let first = bare
        async let deferred = engine.ingest([first], isUrgent: false)
        while engine.ingestCounts.deferred < 1 { await Task.yield() }
        fixture.clock.advance(seconds: 60)
        _ = try await engine.ingest([first])
        _ = try await deferred
        var times: [Timestamp] = []
        var export = try engine.export(.all, in: .distantPast ... .distantFuture)
        while let piece = try export.next() { times += piece.readings.map(\.timestamp) }
        #expect(times.map(\.seconds) == [Fixture.start + 1_000_000, Fixture.start + 1_000_060])
        try engine.stop()
    }

    @Test("a late reading is kept, counted and exported, changes no state, and is part of the next warm-up")
    func late() async throws {
        let fixture = try Fixture(lateness: 16)
        var engine = try await fixture.open()
        var dice = SeededGenerator(3)
        let all = (0..<60).map { reading("a", Int64($0) * 10, dice.value(at: Int64($0) * 10)) }
        let withoutOne = all.filter { $0.timestamp != all[30].timestamp }
        _ = try await engine.ingest(withoutOne)
        let before = try await Outcome(engine, "a")
        let receipt = try await engine.ingest([all[30]])
        #expect(receipt.late == 1)
        #expect(try await Outcome(engine, "a") == before)
        engine = try await fixture.restart(engine)
        #expect(try await Outcome(engine, "a") == before)
        try await engine.reset(series("a"), isWarm: true)
        let warm = try await Outcome(engine, "a")
        #expect(warm != before)

        // The same readings in order, warmed up the same way.
        let other = try Fixture(lateness: 16)
        let inOrder = try await other.open()
        _ = try await inOrder.ingest(all)
        try await inOrder.reset(series("a"), isWarm: true)
        #expect(try await Outcome(inOrder, "a") == warm)
        try engine.stop()
        try inOrder.stop()
    }

    @Test("a slot takes 4,096 readings; a repeated one takes no room")
    func fullSlot() async throws {
        let fixture = try Fixture()
        let engine = try await fixture.open()
        let key = reading("a", 0, 0).key
        let start = Timestamp.from(seconds: Fixture.start)
        func readings(_ range: Range<Int>) -> [IncomingReading] {
            range.map { IncomingReading(key: key, timestamp: start.advanced(byNanoseconds: Int64($0)), value: 1) }
        }
        #expect(try await engine.ingest(readings(0..<4_096)).accepted == 4_096)
        #expect(try await engine.ingest(readings(0..<4_096)).accepted == 4_096)
        let receipt = try await engine.ingest(readings(4_096..<4_098) + [reading("a", 10, 1)])
        #expect(receipt.refusals.map(\.reason) == [.slotFull, .slotFull])
        #expect(receipt.accepted == 1)
        try engine.stop()
    }

    @Test("the cadence is inferred once, from the first seventeen readings, and stored")
    func inference() async throws {
        var fixture = try Fixture()
        fixture.configuration.series = []
        var engine = try await fixture.open()
        for index in 0..<16 { _ = try await engine.ingest([reading("a", Int64(index) * 61, 1)]) }
        await #expect(throws: EngineError.self) { try await engine.forecast(of: series("a")) }
        _ = try await engine.ingest([reading("a", 16 * 61, 1)])
        #expect(try await engine.forecast(of: series("a")).forecast.cadence.nanoseconds == 60_000_000_000)
        engine = try await fixture.restart(engine)
        for index in 0..<40 { _ = try await engine.ingest([reading("a", 1_000 + Int64(index), 1)]) }
        #expect(try await engine.series(.all).first?.cadence?.nanoseconds == 60_000_000_000)
        try engine.stop()
    }
}
