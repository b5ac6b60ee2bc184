import TimeSeries

/// Decides reading by reading what a commit takes, and can take it all back if the commit fails.
///
/// The rules are those of event time: a reading is refused or classed by its own timestamp, the series' frontier and
/// nothing else; only the two checks against the clock (too far ahead, clock unset) look at the time of day.
struct Admission {
    private(set) var readings: [Reading] = []
    /// The places of the series that got their cadence in this commit.
    private(set) var settled: [Int] = []

    private var changes: [(place: Int, change: SeriesEntry.Change)] = []
    /// How many series there were before it.
    private let known: Int
    private let maxSeries: Int
    private let now: Timestamp
    private let clockIsSet: Bool
    private static let leeway: Int64 = 300_000_000_000

    /// - Parameter count: how many readings may come.
    init(_ entries: borrowing SeriesIndex, maxSeries: Int, now: Timestamp, clockIsSet: Bool, count: Int) {
        (known, self.maxSeries) = (entries.count, maxSeries)
        (self.now, self.clockIsSet) = (now, clockIsSet)
        readings.reserveCapacity(count)
        changes.reserveCapacity(count)
    }

    /// Takes or refuses one reading.
    ///
    /// - Parameters:
    ///   - arrivedAt: the time of a reading without a timestamp.
    ///   - entries: the series there are.
    ///   - birth: makes one that is missing.
    mutating func take(
        _ incoming: IncomingReading, arrivedAt: Timestamp, in entries: inout SeriesIndex,
        birth: (SeriesKey) throws -> SeriesEntry
    ) throws -> Result<Timeliness, Refused> {
        guard incoming.value.isFinite else { return .failure(Refused(.notFinite)) }
        let timestamp: Timestamp
        switch stamp(incoming.timestamp, arrivedAt: arrivedAt) {
        case .success(let stamped): timestamp = stamped
        case .failure(let refused): return .failure(refused)
        }
        let place: Int
        switch try self.place(of: incoming.key, in: &entries, birth) {
        case .success(let found): place = found
        case .failure(let refused): return .failure(refused)
        }
        let change = entries.values[place].admit(timestamp)
        changes.append((place, change))
        if change.settled { settled.append(place) }
        guard let timeliness = change.timeliness else { return .failure(Refused(.slotFull)) }
        readings.append(
            Reading(
                series: entries.values[place].id, timestamp: timestamp, value: incoming.value,
                timeliness: timeliness))
        return .success(timeliness)
    }

    private func place(
        of key: SeriesKey, in entries: inout SeriesIndex, _ birth: (SeriesKey) throws -> SeriesEntry
    ) throws -> Result<Int, Refused> {
        if let place = entries.find(key) { return .success(place) }
        // A series that is there already, from before this rule, goes on.
        if let character = key.description.unicodeScalars.first(where: \.isUnprintable) {
            return .failure(Refused(.unprintableName, character))
        }
        guard key.description.utf8.count <= SeriesKey.longest else { return .failure(Refused(.nameTooLong)) }
        guard entries.count < maxSeries else { return .failure(Refused(.tooManySeries)) }
        return .success(entries.add(try birth(key)))
    }

    /// Forgets what the touched series no longer need, once the commit has succeeded.
    func confirm(_ entries: borrowing SeriesIndex) {
        for (place, change) in changes where change.isPruningDue { entries.values[place].prune() }
    }

    /// Undoes every change to the series, and those that are new.
    func takeBack(from entries: inout SeriesIndex) {
        for (place, change) in changes.reversed() { entries.values[place].takeBack(change) }
        entries.removeNewest(downTo: known)
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
        /// Of the name, the one that is refused.
        let character: Unicode.Scalar?

        init(_ reason: RefusalReason, _ character: Unicode.Scalar? = nil) {
            (self.reason, self.character) = (reason, character)
        }
    }
}
