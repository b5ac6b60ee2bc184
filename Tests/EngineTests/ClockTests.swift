import Engine
import TestSupport
import Testing
import TimeSeries

@Suite("No single look at the clock destroys or denies anything")
struct ClockTests {
    private static let day: Int64 = 86_400

    private func bare(_ name: String) -> IncomingReading {
        var bare = reading(name, 0, 1)
        bare.timestamp = nil
        return bare
    }

    private func times(_ engine: Engine) throws -> [Int64] {
        var times: [Int64] = []
        var export = try engine.export(.all, in: .distantPast ... .distantFuture)
        while let piece = try export.next() { times += piece.readings.map { $0.timestamp.seconds - Fixture.start } }
        return times
    }

    @Test(
        "while the clock is ahead for some seconds, readings are stamped as before, and those of right senders are taken"
    )
    func ahead() async throws {
        let fixture = try Fixture()
        var engine = try await fixture.open()
        #expect(try await engine.ingest([bare("a")]).accepted == 1)
        fixture.clock.jump(seconds: 30 * Self.day)
        fixture.clock.advance(seconds: 8)
        #expect(try await engine.ingest([bare("a"), reading("a", 1_000_009, 2)]).accepted == 2)
        let ahead = try await engine.ingest([reading("a", 1_000_000 + 30 * Self.day, 3)])
        #expect(ahead.refusals.map(\.reason) == [.tooFarAhead])
        fixture.clock.jump(seconds: -30 * Self.day)
        fixture.clock.advance(seconds: 10)
        #expect(try await engine.ingest([bare("a")]).late == 0)
        #expect(try times(engine) == [1_000_000, 1_000_008, 1_000_009, 1_000_018])
        engine = try await fixture.restart(engine)
        #expect(engine.ingestCounts.clockIsSet)
        fixture.clock.advance(seconds: 10)
        #expect(try await engine.ingest([bare("a")]).accepted == 1)
        #expect(try times(engine).last == 1_000_028)
        try engine.stop()
    }

    @Test("a new time that holds is believed after five minutes")
    func corrected() async throws {
        let fixture = try Fixture()
        let engine = try await fixture.open()
        _ = try await engine.ingest([bare("a")])
        fixture.clock.jump(seconds: Self.day)
        _ = try await engine.ingest([bare("a")])
        fixture.clock.advance(seconds: 301)
        _ = try await engine.ingest([bare("a")])
        #expect(try times(engine) == [1_000_000, 1_000_301 + Self.day])
        try engine.stop()
    }

    @Test("what a clock that was ahead has committed refuses nothing once it is right again, also after a restart")
    func aheadFromTheStart() async throws {
        let fixture = try Fixture()
        fixture.clock.jump(seconds: 30 * Self.day)
        var engine = try await fixture.open()
        _ = try await engine.ingest([bare("a")])
        try engine.stop()
        fixture.clock.jump(seconds: -30 * Self.day)
        engine = try await fixture.open()
        #expect(try await engine.ingest([bare("b")]).accepted == 1)
        #expect(engine.ingestCounts.clockIsSet)
        try engine.stop()
    }

    @Test("a clock that starts far behind a settled time is unset, until it is set or has held for five minutes")
    func behind() async throws {
        let fixture = try Fixture()
        var engine = try await fixture.open()
        for _ in 0..<2 {
            fixture.clock.advance(seconds: 700)
            _ = try await engine.ingest([bare("a")])
        }
        try engine.stop()
        for isSet in [true, false] {
            fixture.clock.jump(seconds: -Self.day)
            engine = try await fixture.open()
            #expect(try await engine.ingest([bare("b")]).refusals.map(\.reason) == [.clockUnset])
            #expect(try await engine.ingest([reading("b", 1_000_100, 1)]).accepted == 1)
            if isSet { fixture.clock.jump(seconds: Self.day) } else { fixture.clock.advance(seconds: 301) }
            #expect(try await engine.ingest([bare("b")]).accepted == 1)
            try engine.stop()
        }
    }

    /// Two series that reported every ten minutes for a hundred days.
    private func filled(_ change: (inout Fixture) -> Void) async throws -> (Fixture, Engine) {
        var fixture = try Fixture()
        fixture.configuration.sealAfter = 500
        change(&fixture)
        let engine = try await fixture.open()
        for start in stride(from: 0, to: 14_400 as Int64, by: 1_200) {
            _ = try await engine.ingest(
                (0..<1_200).flatMap { index in
                    ["a", "b"].map { reading($0, 1_000_000 - (14_400 - start - index) * 600, Double(index)) }
                })
        }
        return (fixture, engine)
    }

    /// Lets time pass while a sensor reports, minute by minute.
    private func pass(_ minutes: Int, _ fixture: Fixture, _ engine: Engine) async throws {
        for _ in 0..<minutes {
            fixture.clock.advance(seconds: 60)
            _ = try await engine.ingest([bare("c")])
            try await engine.heartbeat()
        }
    }

    /// Readings of the first two.
    private func count(_ engine: Engine) throws -> Int {
        var (count, export) = (0, try engine.export(.all, in: .distantPast ... .distantFuture))
        while let piece = try export.next() {
            if piece.key != reading("c", 0, 0).key { count += piece.readings.count }
        }
        return count
    }

    @Test("a clock that jumps 500 days ahead costs no reading and no series, neither while it is ahead nor afterwards")
    func retention() async throws {
        let (fixture, engine) = try await filled { fixture in
            fixture.configuration.retention = 400 * Self.day * 1_000_000_000
            fixture.configuration.silentSeriesTTL = 90 * Self.day * 1_000_000_000
        }
        fixture.clock.jump(seconds: 500 * Self.day)
        try await pass(4, fixture, engine)
        fixture.clock.jump(seconds: -500 * Self.day)
        try await pass(180, fixture, engine)
        #expect(try count(engine) == 28_800)
        #expect(engine.seriesCount == 3)
        try engine.stop()
    }

    @Test("without newer readings nothing expires, whatever the clock says")
    func withoutReadings() async throws {
        let (fixture, engine) = try await filled { fixture in
            fixture.configuration.retention = 400 * Self.day * 1_000_000_000
        }
        fixture.clock.jump(seconds: 500 * Self.day)
        for _ in 0..<3 * 24 * 60 {
            fixture.clock.advance(seconds: 60)
            try await engine.heartbeat()
        }
        #expect(try count(engine) == 28_800)
        try engine.stop()
    }

    @Test("a daemon that starts with a clock 500 days ahead removes a share of a history a day, and says so before")
    func share() async throws {
        let notices = Notices()
        var (fixture, engine) = try await filled { fixture in
            fixture.configuration.retention = 400 * Self.day * 1_000_000_000
        }
        try engine.stop()
        fixture.clock.jump(seconds: 500 * Self.day)
        engine = try await fixture.open(notices)
        try await pass(9, fixture, engine)
        #expect(notices.texts.isEmpty)
        try await pass(2, fixture, engine)
        #expect(notices.texts.contains { $0.contains("retention") })
        #expect(try count(engine) == 28_800)
        try await pass(25 * 60, fixture, engine)
        let left = try count(engine)
        #expect(left < 28_800)
        #expect(left > 28_800 * 4 / 5)
        try engine.stop()
    }

    @Test(
        "what is past its retention goes as time passes, what a person confirms goes at once, and nothing that is younger"
    )
    func expiry() async throws {
        let retention: Int64 = 30 * Self.day
        let (fixture, engine) = try await filled { fixture in
            fixture.configuration.retention = retention * 1_000_000_000
        }
        try await pass(60, fixture, engine)
        #expect(try count(engine) == 28_800)
        _ = try await engine.expireNow()
        try await pass(9, fixture, engine)
        // Whole chunks only, of a week. What a replay from the older checkpoint needs stays, and that is written when there
        // is time for it: new readings make newer ones.
        let limit = 1_000_000 - retention - 8 * Self.day
        var (oldest, passed) = (try times(engine).min() ?? 0, 69 * 60 as Int64)
        for _ in 0..<100 where oldest <= limit {
            fixture.clock.advance(seconds: 1_200)
            passed += 1_200
            _ = try await engine.ingest(["a", "b"].map { reading($0, 1_000_000 + passed, 1) })
            for _ in 0..<8 { try await engine.heartbeat() }
            _ = try await engine.expireNow()
            for _ in 0..<8 { try await engine.heartbeat() }
            oldest = try times(engine).min() ?? 0
        }
        #expect(oldest <= 1_000_000 + passed - retention)
        #expect(oldest > limit)
        try await pass(15 * 24 * 60 / 10, fixture, engine)
        #expect(try times(engine).min() ?? 0 >= oldest)
        try engine.stop()
    }

    @Test("silence counts from arrival: a fresh import of old readings stays, a series that is silent goes")
    func silence() async throws {
        var (fixture, engine) = try await filled { fixture in
            fixture.configuration.silentSeriesTTL = 2 * 3_600 * 1_000_000_000
        }
        _ = try await engine.ingest((0..<20).map { reading("old", $0 * 10, 1) })
        engine = try await fixture.restart(engine)
        try await pass(100, fixture, engine)
        #expect(engine.seriesCount == 4)
        try await pass(26 * 60, fixture, engine)
        #expect(engine.seriesCount < 4)
        #expect(try await engine.series(.all).contains { $0.series == reading("c", 0, 0).key })
        try engine.stop()
    }

    @Test("a series that was away for longer than it may be silent, and has just returned, stays after a restart")
    func returned() async throws {
        var (fixture, engine) = try await filled { fixture in
            fixture.configuration.silentSeriesTTL = 20 * 3_600 * 1_000_000_000
        }
        try await pass(100, fixture, engine)
        try engine.stop()
        fixture.clock.advance(seconds: 30 * 3_600)
        engine = try await fixture.open()
        let now = fixture.clock.now
        _ = try await engine.ingest([
            IncomingReading(key: reading("a", 0, 0).key, timestamp: now, value: 1)
        ])
        engine = try await fixture.restart(engine)
        try await pass(30, fixture, engine)
        let left = try await engine.series(.all).map(\.series)
        #expect(left.contains(reading("a", 0, 0).key))
        #expect(!left.contains(reading("b", 0, 0).key))
        try engine.stop()
    }
}
