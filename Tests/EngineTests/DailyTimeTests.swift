import Engine
import Foundation
import TestSupport
import Testing
import TimeSeries

/// The offsets of one time zone over some years, from ICU's tables.
private struct ZoneTable: Sendable {
    let name: String
    /// Ascending by where they begin.
    private let offsets: [(start: Int64, offset: Int32)]
    /// Where the clock is changed.
    var changes: [Int64] { offsets.dropFirst().map(\.start) }

    init(_ name: String, _ range: Range<Int64>) throws {
        self.name = name
        let zone = try TimeZone(identifier: name).orThrow()
        func offset(_ seconds: Int64) -> Int32 {
            Int32(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))))
        }
        var found = [(start: range.lowerBound, offset: offset(range.lowerBound))]
        for end in stride(from: range.lowerBound, to: range.upperBound, by: 3_600) {
            let (before, after) = (found[found.count - 1].offset, offset(end))
            guard before != after else { continue }
            var (same, other) = (end - 3_600, end)
            while other - same > 1 {
                let middle = (same + other) / 2
                if offset(middle) == before { same = middle } else { other = middle }
            }
            found.append((other, after))
        }
        offsets = found
    }

    func offset(_ seconds: Int64) -> Int32 {
        var (low, high) = (0, offsets.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if offsets[middle].start <= seconds { low = middle } else { high = middle }
        }
        return offsets[low].offset
    }

    var calendar: LocalCalendar { LocalCalendar(name: "test") { offset($0) } }

    func local(_ seconds: Int64) -> Int64 { seconds + Int64(offset(seconds)) }
}

/// What the clock shows around one change, minute by minute: the answer to every question of a daily rule, by looking.
private struct Minutes {
    private let day: Int64 = 86_400
    /// By the local minute: the first instant at which the clock shows it or a later one.
    private var first: [Int64: Int64] = [:]
    private var days: Set<Int64> = []

    init(_ zone: ZoneTable, around change: Int64) {
        let start = (change - 4 * day) / 60 * 60
        var shown = zone.local(start) - 60
        for instant in stride(from: start, to: change + 4 * day, by: 60) {
            let local = zone.local(instant)
            days.insert(floorDivide(local, day))
            if local > shown {
                for minute in stride(from: shown + 60, through: local, by: 60) { first[minute] = instant }
                shown = local
            }
        }
    }

    /// The instants of all days, ascending.
    func instants(at second: Int64) -> [Int64] { days.compactMap { first[$0 * day + second] }.sorted() }
}

@Suite("Daily instants and clocks that change")
struct DailyTimeTests {
    /// Ten years with clocks that skip midnight, show it twice, change by half an hour, and leave a whole day out.
    private static let years = 1_199_145_600..<Int64(1_514_764_800)
    private static let zones = [
        "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Beirut", "Africa/Cairo", "America/Asuncion",
        "Atlantic/Azores", "Australia/Lord_Howe", "Pacific/Apia", "America/Havana", "America/St_Johns",
        "Africa/Casablanca", "Asia/Pyongyang",
    ]

    @Test("every local day has exactly one instant, and the next one is always later than now", arguments: zones)
    func everyChange(_ name: String) throws {
        let zone = try ZoneTable(name, Self.years)
        var dice = SeededGenerator(7)
        #expect(!zone.changes.isEmpty)
        for change in zone.changes {
            let minutes = Minutes(zone, around: change)
            for second in stride(from: Int64(0), to: 86_400, by: 900) {
                let rule = RetrainRule.daily(second: Int32(second))
                let expected = minutes.instants(at: second).filter { abs($0 - change) < 3 * 86_400 }
                func next(_ now: Timestamp) throws -> Int64 {
                    let due = try #require(rule.due(after: now, stagger: 0, calendar: zone.calendar))
                    #expect(due > now, "\(name), second \(second), after \(now.text)")
                    return due.seconds
                }
                var found: [Int64] = []
                var now = try #require(expected.first) - 1
                while let last = expected.last, now < last {
                    now = try next(.from(seconds: now))
                    found.append(now)
                }
                #expect(found == expected, "\(name), second \(second), around \(Timestamp.from(seconds: change).text)")
                for _ in 0..<4 {
                    let now = Int64.random(in: expected[0]..<expected[expected.count - 1], using: &dice)
                    let later = Timestamp.from(seconds: now).advanced(byNanoseconds: 999_999_999)
                    #expect(try next(later) == expected.first { $0 > now })
                }
            }
        }
    }

    @Test(
        "a time that the clock skips falls on the first instant after the gap, of one that comes twice the first counts"
    )
    func gapAndFold() throws {
        let berlin = try ZoneTable("Europe/Berlin", 1_767_225_600..<1_798_761_600).calendar
        let rule = try #require(RetrainRule("daily 02:30"))
        // 2026-03-29 and 2026-10-25, both at 01:00 UTC.
        let (spring, autumn): (Int64, Int64) = (1_774_746_000, 1_792_890_000)
        func due(_ now: Int64) -> Int64? {
            rule.due(after: .from(seconds: now), stagger: 0, calendar: berlin)?.seconds
        }
        #expect(due(spring - 3_600) == spring)
        #expect(due(spring) == spring + 84_600)
        #expect(due(autumn - 3_600) == autumn - 1_800)
        #expect(due(autumn - 1_800) == autumn + 86_400 + 1_800)
    }

    @Test("nights in which the clock is changed train each forecaster once a day, however its clock is set right")
    func nights() async throws {
        let zone = try ZoneTable("Europe/Berlin", 1_767_225_600..<1_798_761_600)
        for change in zone.changes {
            var fixture = try Fixture(method: "lstm")
            fixture.configuration.calendar = zone.calendar
            fixture.configuration.forecasters[0].retrain = try #require(RetrainRule("daily 02:30"))
            for name in ["second", "third"] {
                var other = fixture.configuration.forecasters[0]
                other.name = name
                fixture.configuration.forecasters.append(other)
            }
            fixture.clock.set(seconds: change - 12 * 3_600)
            let engine = try await fixture.open()
            var trained: [String: [Int64]] = [:]
            while fixture.clock.now.seconds < change + 42 * 3_600 {
                let claimed = try await engine.claimDue().claimed
                for name in claimed {
                    trained[name, default: []].append(floorDivide(zone.local(fixture.clock.now.seconds), 86_400))
                }
                // The clock is set back by some seconds now and then, and after each claim.
                fixture.clock.advance(seconds: claimed.isEmpty ? 60 : -7)
                if claimed.isEmpty, fixture.clock.now.seconds % 11 == 0 { fixture.clock.advance(seconds: -30) }
            }
            let first = floorDivide(zone.local(change - 12 * 3_600), 86_400)
            for forecaster in fixture.configuration.forecasters {
                // The first day's time had passed.
                #expect(trained[forecaster.name] == [first + 1, first + 2], "\(trained)")
            }
            try engine.stop()
        }
    }

    @Test("another forecaster, which moves the times of all, trains none of them twice; another rule holds at once")
    func reloads() async throws {
        var fixture = try Fixture(method: "lstm")
        let midnight: Int64 = 1_750_032_000
        fixture.configuration.forecasters[0].retrain = try #require(RetrainRule("daily 02:30"))
        fixture.clock.set(seconds: midnight)
        let engine = try await fixture.open()
        #expect(try await engine.claimDue().claimed == [])
        fixture.clock.set(seconds: midnight + 9_000)
        #expect(try await engine.claimDue().claimed == ["house"])
        var first = fixture.configuration.forecasters[0]
        first.name = "first"
        fixture.configuration.forecasters.insert(first, at: 0)
        _ = try await engine.reload(fixture.configuration)
        for _ in 0..<10 {
            fixture.clock.advance(seconds: 60)
            #expect(try await engine.claimDue().claimed == [])
        }
        fixture.configuration.forecasters[1].retrain = try #require(RetrainRule("daily 05:00"))
        _ = try await engine.reload(fixture.configuration)
        #expect(try await engine.claimDue().claimed == [])
        fixture.clock.set(seconds: midnight + 18_000 + 300)
        #expect(try await engine.claimDue().claimed == ["house"])
        try engine.stop()
    }
}
