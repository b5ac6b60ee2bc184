import Basics
import TimeSeries

/// A time of day that occurs once per local day, even when the clock is changed.
///
/// It is the first instant of the day at which the local clock shows this time or a later one: a skipped time falls on
/// the first instant after the gap, and of a repeated time the first counts. A day that is skipped entirely has none.
struct DailyTime {
    /// The second of the local day.
    let second: Int64
    let calendar: LocalCalendar

    private static let day: Int64 = 86_400
    /// The largest offset from UTC, in seconds (RFC 8536, section 3.2).
    private static let widestOffset: Int64 = 26 * 3_600
    /// The step of the search, in seconds: clocks are not changed and changed back within so short a time.
    private static let stride: Int64 = 6 * 3_600

    /// The first such instant after `now`, in seconds since 1970.
    func next(after now: Int64) -> Int64 {
        if PlantedBug.dailyTimeInGap.isActive {
            let next = (floorDivide(now + offset(now) - second, Self.day) + 1) * Self.day + second
            return next - offset(next - offset(now))
        }
        // The instants of earlier days have passed.
        var day = floorDivide(now + offset(now), Self.day)
        while true {
            if let instant = instant(ofDay: day), instant > now { return instant }
            day += 1
        }
    }

    /// The instant of the local day with this number since 1970-01-01; nil if the clock skips the whole day.
    private func instant(ofDay day: Int64) -> Int64? {
        let beginning = firstInstant(showing: day * Self.day)
        guard beginning + offset(beginning) < (day + 1) * Self.day else { return nil }
        return firstInstant(showing: day * Self.day + second)
    }

    /// The first instant at which the local clock shows `local` or later.
    private func firstInstant(showing local: Int64) -> Int64 {
        var (start, current) = (local - Self.widestOffset, offset(local - Self.widestOffset))
        while start < local + Self.widestOffset {
            let next = offset(start + Self.stride)
            let end = next == current ? start + Self.stride : change(from: start, current)
            let candidate = max(start, local - current)
            if candidate < end { return candidate }
            (start, current) = (end, next)
        }
        return local - current
    }

    /// The first instant after `start` with another offset than `before`; the offset at the stride's end must differ.
    private func change(from start: Int64, _ before: Int64) -> Int64 {
        var (same, other) = (start, start + Self.stride)
        while other - same > 1 {
            let middle = (same + other) / 2
            if offset(middle) == before { same = middle } else { other = middle }
        }
        return other
    }

    private func offset(_ seconds: Int64) -> Int64 { Int64(calendar.utcOffset(seconds)) }
}
