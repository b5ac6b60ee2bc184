import TimeSeries

/// Decides reading by reading what a commit takes, and can take it all back if the commit fails.
///
/// The rules are those of event time: a reading is refused or classed by its own timestamp, the series' frontier and
/// nothing else; only the two checks against the clock (too far ahead, clock unset) look at the time of day.
///
/// The entries it was given must outlive it.
struct Admission {
    private(set) var readings: [Reading] = []
    /// Series that got their cadence in this commit.
    private(set) var settled: [SeriesEntry] = []

    private var changes: [SeriesEntry.Change] = []
    private let now: Timestamp
    private let clockIsSet: Bool
    private static let leeway: Int64 = 300_000_000_000

    init(now: Timestamp, clockIsSet: Bool) {
        self.now = now
        self.clockIsSet = clockIsSet
    }

    /// Takes or refuses one reading.
    ///
    /// - Parameters:
    ///   - arrivedAt: the time of a reading without a timestamp.
    ///   - entry: finds the series' entry, or makes one; nil when there is no room for another.
    mutating func take(
        _ incoming: IncomingReading, arrivedAt: Timestamp, entry: (SeriesKey) throws -> SeriesEntry?
    ) throws -> Result<Timeliness, Refused> {
        guard incoming.value.isFinite else { return .failure(Refused(.notFinite)) }
        let timestamp: Timestamp
        switch stamp(incoming.timestamp, arrivedAt: arrivedAt) {
        case .success(let stamped): timestamp = stamped
        case .failure(let refused): return .failure(refused)
        }
        guard let entry = try entry(incoming.key) else { return .failure(Refused(.tooManySeries)) }
        let change = entry.admit(timestamp)
        changes.append(change)
        if change.settled { settled.append(entry) }
        guard let timeliness = change.timeliness else { return .failure(Refused(.slotFull)) }
        readings.append(
            Reading(series: entry.id, timestamp: timestamp, value: incoming.value, timeliness: timeliness))
        return .success(timeliness)
    }

    /// Forgets what the touched series no longer need, once the commit has succeeded.
    func confirm() {
        for change in changes where change.isPruningDue { change.entry._withUnsafeGuaranteedRef { $0.prune() } }
    }

    /// Undoes every change to the entries.
    func takeBack() {
        for change in changes.reversed() { change.entry._withUnsafeGuaranteedRef { $0.takeBack(change) } }
    }

    private func stamp(_ given: Timestamp?, arrivedAt: Timestamp) -> Result<Timestamp, Refused> {
        guard let given else { return clockIsSet ? .success(arrivedAt) : .failure(Refused(.clockUnset)) }
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
