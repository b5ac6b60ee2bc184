import Foundation
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
        var generator = SystemRandomNumberGenerator()
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
}
