import Engine
import Testing
import TimeSeries

@Suite("The retraining schedule")
struct ScheduleTests {
    private func claimed(_ engine: Engine) async throws -> [String] { try await engine.claimDue().claimed }

    @Test("a forecaster falls due once an interval; missed runs are caught up once, also across a restart")
    func catchUp() async throws {
        var fixture = try Fixture(method: "lstm")
        fixture.configuration.forecasters[0].retrain = .every(nanoseconds: 3_600_000_000_000)
        var engine = try await fixture.open()
        #expect(try await claimed(engine) == [])
        fixture.clock.advance(seconds: 3_599)
        #expect(try await claimed(engine) == [])
        fixture.clock.advance(seconds: 1)
        #expect(try await claimed(engine) == ["house"])
        #expect(try await claimed(engine) == [])
        engine = try await fixture.restart(engine)
        fixture.clock.advance(seconds: 48 * 3_600)
        #expect(try await claimed(engine) == ["house"])
        #expect(try await claimed(engine) == [])
        fixture.clock.advance(seconds: 3_600)
        #expect(try await claimed(engine) == ["house"])
        try engine.stop()
    }

    @Test("a clock that jumps back neither storms nor waits for the time it jumped from")
    func clockBack() async throws {
        var fixture = try Fixture(method: "lstm")
        fixture.configuration.forecasters[0].retrain = .every(nanoseconds: 3_600_000_000_000)
        let engine = try await fixture.open()
        #expect(try await claimed(engine) == [])
        fixture.clock.jump(seconds: -400_000)
        #expect(try await claimed(engine) == [])
        // By now it is believed.
        fixture.clock.advance(seconds: 600)
        #expect(try await claimed(engine) == [])
        fixture.clock.advance(seconds: 3_600)
        #expect(try await claimed(engine) == ["house"])
        #expect(try await claimed(engine) == [])
        try engine.stop()
    }

    @Test("forecasters with one rule are staggered")
    func staggered() async throws {
        var fixture = try Fixture(method: "lstm")
        fixture.configuration.forecasters[0].retrain = .every(nanoseconds: 3_600_000_000_000)
        var other = fixture.configuration.forecasters[0]
        other.name = "other"
        fixture.configuration.forecasters.append(other)
        let engine = try await fixture.open()
        #expect(try await claimed(engine) == [])
        fixture.clock.advance(seconds: 3_600)
        #expect(try await claimed(engine) == ["house"])
        fixture.clock.advance(seconds: 900)
        #expect(try await claimed(engine) == ["other"])
        try engine.stop()
    }

    @Test("daily is a time of the local day, whatever the offset")
    func daily() throws {
        let rule = try #require(RetrainRule("daily 03:00"))
        let berlin = LocalCalendar(name: "test") { seconds in seconds < 1_774_745_999 ? 3_600 : 7_200 }
        // 2026-03-28 12:00 UTC; the clocks change in the night, so 03:00 local is 01:00 UTC.
        let due = rule.due(after: .from(seconds: 1_774_699_200), stagger: 0, calendar: berlin)
        #expect(due == .from(seconds: 1_774_746_000))
    }

    @Test("the words of the configuration", arguments: ["never", "every 6h", "every 90s", "daily 03:00"])
    func words(_ text: String) { #expect(RetrainRule(text)?.description == text) }

    @Test(
        "other words are refused",
        arguments: ["", "every", "every 0s", "every -1h", "daily 24:00", "weekly", "daily 3"])
    func refused(_ text: String) { #expect(RetrainRule(text) == nil) }
}
