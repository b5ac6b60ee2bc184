import Foundation
import TestSupport
import Testing
import TimeSeries

@Suite("Times as text")
struct TimeTextTests {
    private static func foundation(_ milliseconds: Int64) -> String {
        // Seconds and thousandths apart: a double of both rounds.
        let seconds = floorDivide(milliseconds, 1_000)
        let whole = Date(timeIntervalSince1970: Double(seconds)).formatted(Date.ISO8601FormatStyle())
        let rest = String(milliseconds - seconds * 1_000)
        return "\(whole.dropLast()).\(String(repeating: "0", count: 3 - rest.count))\(rest)Z"
    }

    @Test("a time is written as Foundation writes it, over the whole range")
    func asFoundation() {
        let bounds = Int64.min / 1_000_000 + 1...Int64.max / 1_000_000
        var generator = SeededGenerator(4)
        let random = (0..<20_000).map { _ in Int64.random(in: bounds, using: &generator) }
        // Days of 600 years, every one around 1970, and the millisecond before each.
        let days: [Int64] = (-106_751...106_751).filter { $0 % 30 == 0 || abs($0) < 1_500 }.map { $0 * 86_400_000 }
        for milliseconds in [random, days, days.map { $0 - 1 }, [bounds.lowerBound, bounds.upperBound]].joined() {
            #expect(Timestamp(nanoseconds: milliseconds * 1_000_000).text == Self.foundation(milliseconds))
        }
    }

    @Test("what is finer than a millisecond is rounded towards the past")
    func rounding() {
        #expect(Timestamp(nanoseconds: 1_999_999).text == "1970-01-01T00:00:00.001Z")
        #expect(Timestamp(nanoseconds: -1).text == "1969-12-31T23:59:59.999Z")
        #expect(Timestamp.distantPast.text == "1677-09-21T00:12:43.145Z")
        #expect(Timestamp.distantFuture.text == "2262-04-11T23:47:16.854Z")
    }

    @Test("a time that was written is read back, to the millisecond")
    func readBack() {
        var generator = SeededGenerator(5)
        for _ in 0..<5_000 {
            let milliseconds = Int64.random(in: Int64.min / 1_000_000 + 1...Int64.max / 1_000_000, using: &generator)
            let time = Timestamp(nanoseconds: milliseconds * 1_000_000)
            #expect(Timestamp(rfc3339: time.text) == time)
        }
    }

    @Test(
        "RFC 3339 is read to the nanosecond, with any offset",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:01.5Z", 1_500_000_000),
            ("1970-01-01t01:00:00.000000001+01:00", 1), ("1969-12-31 23:59:59.25z", -750_000_000),
            ("1970-01-01T00:00:00.1234567899Z", 123_456_789), ("1969-12-31T19:00:00-0500", 0),
            ("2024-02-29T00:00:00Z", 1_709_164_800_000_000_000), ("2016-12-31T23:59:60Z", 1_483_228_800_000_000_000),
        ] as [(String, Int64)])
    func read(_ text: String, _ nanoseconds: Int64) {
        #expect(Timestamp(rfc3339: text) == Timestamp(nanoseconds: nanoseconds))
    }

    @Test(
        "what is no time is none",
        arguments: [
            "", "2026", "2026-01-31", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-00T00:00:00Z",
            "2026-01-31T24:00:00Z", "2026-01-31T00:60:00Z", "2026-01-31T00:00:61Z", "2026-01-31T00:00:00",
            "2026-01-31T00:00:00.Z", "2026-01-31T00:00:00Z ", "2026-01-31T00:00:00+1:00", "2026-01-31T00:00:00+24:00",
            "+26-01-31T00:00:00Z", "2026-01-31T00:00:00ZZ", "２０２６-01-31T00:00:00Z", "1e10-01-01T00:00:00Z",
        ])
    func refused(_ text: String) { #expect(Timestamp(rfc3339: text) == nil) }

    @Test("times beyond the range saturate")
    func saturation() {
        #expect(Timestamp(rfc3339: "9999-12-31T23:59:59Z") == .distantFuture)
        #expect(Timestamp(rfc3339: "0000-01-01T00:00:00Z") == .distantPast)
    }
}
