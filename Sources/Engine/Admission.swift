import TimeSeries

/// Decides reading by reading what a commit takes, without changing anything until the commit has succeeded.
///
/// The rules are those of event time: a reading is refused or classed by its own timestamp, the series' frontier and
/// nothing else; only the two checks against the clock (too far ahead, clock unset) look at the time of day.
struct Admission {
    private(set) var touched: [SeriesKey: SeriesEntry] = [:]
    private(set) var readings: [Reading] = []
    /// Series that got their cadence in this commit.
    private(set) var settled: [SeriesKey] = []

    private let base: [SeriesKey: SeriesEntry]
    private let now: Timestamp
    private let clockIsSet: Bool
    private static let leeway: Int64 = 300_000_000_000

    init(base: [SeriesKey: SeriesEntry], now: Timestamp, clockIsSet: Bool) {
        self.base = base
        self.now = now
        self.clockIsSet = clockIsSet
    }

    /// The entry of `key`, if the writer or this commit knows it.
    func entry(_ key: SeriesKey) -> SeriesEntry? { touched[key] ?? base[key] }

    /// Takes or refuses one reading.
    mutating func take(
        _ incoming: IncomingReading, newSeries: (SeriesKey) throws -> SeriesEntry
    ) throws -> Result<Timeliness, Refused> {
        guard incoming.value.isFinite else { return .failure(Refused(.notFinite)) }
        let timestamp: Timestamp
        switch stamp(incoming.timestamp) {
        case .success(let stamped): timestamp = stamped
        case .failure(let refused): return .failure(refused)
        }
        var entry = try entry(incoming.key) ?? newSeries(incoming.key)
        if entry.rule.cadence != nil, entry.settleCadence() { settled.append(incoming.key) }
        let admitted = entry.admit(timestamp)
        if entry.settleCadence() { settled.append(incoming.key) }
        touched[incoming.key] = entry
        guard let timeliness = admitted else { return .failure(Refused(.slotFull)) }
        readings.append(
            Reading(series: entry.id, timestamp: timestamp, value: incoming.value, timeliness: timeliness))
        return .success(timeliness)
    }

    private func stamp(_ given: Timestamp?) -> Result<Timestamp, Refused> {
        guard let given else { return clockIsSet ? .success(now) : .failure(Refused(.clockUnset)) }
        guard given.nanoseconds > .min + 1_000_000_000, given.nanoseconds < .max - 1_000_000_000 else {
            return .failure(Refused(.outOfRange))
        }
        if clockIsSet, given.nanoseconds(since: now) > Self.leeway { return .failure(Refused(.tooFarAhead)) }
        return .success(given)
    }

    struct Refused: Error {
        let reason: RefusalReason
        init(_ reason: RefusalReason) { self.reason = reason }
    }
}
