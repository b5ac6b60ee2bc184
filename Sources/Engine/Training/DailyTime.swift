import TimeSeries

/// A time of day that every local day has once, whatever its clock does.
///
/// A day's instant is the first at which the local clock shows the time or a later one: a time that the clock skips falls
/// on the first instant after the gap, and of a time that comes twice the first counts. A day that is skipped has none.
struct DailyTime {
    /// Of the local day.
    let second: Int64
    let calendar: LocalCalendar

    private static let day: Int64 = 86_400
    /// No clock is farther from UTC (RFC 8536, section 3.2).
    private static let widestOffset: Int64 = 26 * 3_600
    /// Clocks are not changed and changed back within so short a time.
    private static let stride: Int64 = 6 * 3_600

    /// The first instant of a day after `now`, in seconds since the epoch.
    func next(after now: Int64) -> Int64 {
        // Those of earlier days have passed: the clock shows more already.
        var day = floorDivide(now + offset(now), Self.day)
        while true {
            if let instant = instant(ofDay: day), instant > now { return instant }
            day += 1
        }
    }

    /// Of the day with this number since 1970-01-01 on the local clock; nil if the clock skips the whole day.
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

    /// The first instant after `start` at which the offset is not `before` any more; it is not at the stride's end.
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
