import ArgumentParser
import TimeSeries

/// A time given as an option, checked before the daemon is called.
struct TimeOption: ExpressibleByArgument {
    static let help = "2026-01-31T12:00:00Z, 2026-01-31 (UTC), or 2h for two hours ago (s, m, h, d)."

    private static let seconds: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]

    /// RFC 3339 or whole nanoseconds, as the daemon accepts it.
    let text: String

    init?(argument: String) { self.init(argument, now: IngestInput.now) }

    /// - Parameter now: the reference of relative times.
    init?(_ argument: String, now: Timestamp) {
        if let unit = argument.last.flatMap({ Self.seconds[$0] }), let count = Int64(argument.dropLast()) {
            let (offset, isTooLong) = count.multipliedReportingOverflow(by: unit * 1_000_000_000)
            let (nanoseconds, isTooEarly) = now.nanoseconds.subtractingReportingOverflow(offset)
            if count < 0 || isTooLong || isTooEarly { return nil }
            text = String(nanoseconds)
        } else if Int64(argument) != nil {
            text = argument
        } else if let time = Timestamp(rfc3339: argument, isAbbreviated: true) {
            text = String(time.nanoseconds)
        } else {
            return nil
        }
    }
}
