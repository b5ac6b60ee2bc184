public import TimeSeries

/// When a forecaster is retrained.
public enum RetrainRule: Sendable, Hashable, CustomStringConvertible {
    case never
    /// At a fixed interval.
    case every(nanoseconds: Int64)
    /// Once a day, at this second of the local day.
    case daily(second: Int32)

    /// Parses a rule of the configuration, such as `never`, `every 6h` or `daily 03:00`; nil for anything else.
    public init?(_ text: String) {
        let words = text.split(separator: " ")
        switch (words.first, words.count) {
        case ("never", 1): self = .never
        case ("every", 2):
            guard let interval = Self.duration(words[1]), interval >= 1_000_000_000 else { return nil }
            self = .every(nanoseconds: interval)
        case ("daily", 2):
            guard let second = Self.clockTime(words[1]) else { return nil }
            self = .daily(second: second)
        default: return nil
        }
    }

    /// Parses a duration such as `500ms`, `90s`, `5m`, `6h`, `7d` or `2w` into nanoseconds; nil for anything else.
    public static func duration(_ text: some StringProtocol) -> Int64? {
        let units: [(String, Int64)] = [
            ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
            ("d", 86_400_000_000_000), ("w", 604_800_000_000_000),
        ]
        guard let (suffix, factor) = units.first(where: { text.hasSuffix($0.0) }),
            let count = Int64(text.dropLast(suffix.count)), count >= 0
        else { return nil }
        let (product, overflow) = count.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }

    private static func clockTime(_ text: Substring) -> Int32? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { Int32($0) }
        guard parts.count == 2, let hour = parts[0], let minute = parts[1], (0..<24).contains(hour),
            (0..<60).contains(minute)
        else { return nil }
        return hour * 3600 + minute * 60
    }

    public var description: String {
        switch self {
        case .never: return "never"
        case .every(let nanoseconds):
            let units: [(String, Int64)] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)]
            let seconds = nanoseconds / 1_000_000_000
            let unit = units.first { seconds % $0.1 == 0 } ?? ("s", 1)
            return "every \(seconds / unit.1)\(unit.0)"
        case .daily(let second):
            func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
            return "daily \(two(second / 3600)):\(two(second % 3600 / 60))"
        }
    }

    /// The first due instant after `now`; nil for ``never``.
    ///
    /// A daily rule has exactly one per local day, see ``DailyTime``.
    ///
    /// - Parameter stagger: 0 ..< 1, the fraction of the interval, or of ten minutes for a daily rule, by which this
    ///   forecaster is delayed, so that several with the same rule do not fall due together.
    public func due(after now: Timestamp, stagger: Double, calendar: LocalCalendar) -> Timestamp? {
        switch self {
        case .never: return nil
        case .every(let interval):
            return now.advanced(byNanoseconds: interval)
                .advanced(byNanoseconds: Int64(Double(interval) * stagger))
        case .daily(let second):
            let next = DailyTime(second: Int64(second), calendar: calendar).next(after: now.seconds)
            return .from(seconds: next + Int64(stagger * Double(Self.dailyStagger)))
        }
    }

    /// The due instant after one that was claimed at `now`.
    ///
    /// The distances between forecasters stay those of their first instants.
    func due(afterClaimAt now: Timestamp, stagger: Double, calendar: LocalCalendar) -> Timestamp? {
        if case .every = self { return due(after: now, stagger: 0, calendar: calendar) }
        return due(after: now, stagger: stagger, calendar: calendar)
    }

    /// Whether `due`, which is after `now`, was computed by this rule and by a clock that was not far ahead.
    ///
    /// When the clock is set back a little after a claim, that day's instant is in the future again: a stored instant
    /// one day later is kept, so that no day trains twice.
    func keeps(_ due: Timestamp, at now: Timestamp, stagger: Double, calendar: LocalCalendar) -> Bool {
        switch self {
        case .never: return false
        case .every: return self.due(after: now, stagger: stagger, calendar: calendar).map { due <= $0 } ?? false
        case .daily(let second):
            let times = DailyTime(second: Int64(second), calendar: calendar)
            // The stagger may have been different: it depends on the number of forecasters.
            let own = times.next(after: due.seconds - Self.dailyStagger)
            return own <= due.seconds && own <= times.next(after: times.next(after: now.seconds))
        }
    }

    /// The maximum delay of a daily instant, in seconds.
    private static let dailyStagger: Int64 = 600
}
