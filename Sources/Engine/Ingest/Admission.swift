import TimeSeries

/// Admits or refuses each reading of a commit, and undoes all its changes if the commit fails.
///
/// The rules use event time: a reading is refused or classified by its own timestamp and the series' frontier. Only two
/// checks use the time of day: too far ahead, and clock unset.
struct Admission {
    private(set) var readings: [Reading] = []
    /// The indices of the series whose cadence was determined in this commit.
    private(set) var settled: [Int] = []

    private var changes: [(place: Int, change: SeriesEntry.Change)] = []
    /// The number of series before this commit.
    private let known: Int
    private let maxSeries: Int
    private let now: Timestamp
    private let clockIsSet: Bool
    private static let leeway: Int64 = 300_000_000_000

    /// - Parameter count: the number of readings in the commit.
    init(_ entries: borrowing SeriesIndex, maxSeries: Int, now: Timestamp, clockIsSet: Bool, count: Int) {
        (known, self.maxSeries) = (entries.count, maxSeries)
        (self.now, self.clockIsSet) = (now, clockIsSet)
        readings.reserveCapacity(count)
        changes.reserveCapacity(count)
    }

    /// Admits or refuses one reading.
    ///
    /// - Parameters:
    ///   - arrivedAt: the timestamp of a reading that has none of its own.
    ///   - entries: the existing series.
    ///   - birth: creates a missing series.
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
        // An existing series, created before this rule, stays accepted.
        if let character = key.description.unicodeScalars.first(where: \.isUnprintable) {
            return .failure(Refused(.unprintableName, character))
        }
        guard key.description.utf8.count <= SeriesKey.longest else { return .failure(Refused(.nameTooLong)) }
        guard entries.count < maxSeries else { return .failure(Refused(.tooManySeries)) }
        return .success(entries.add(try birth(key)))
    }

    /// Prunes the changed series once the commit has succeeded.
    func confirm(_ entries: borrowing SeriesIndex) {
        for (place, change) in changes where change.isPruningDue { entries.values[place].prune() }
    }

    /// Undoes every change to the series and removes the new ones.
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
        /// The refused character of the name; nil for other reasons.
        let character: Unicode.Scalar?

        init(_ reason: RefusalReason, _ character: Unicode.Scalar? = nil) {
            (self.reason, self.character) = (reason, character)
        }
    }
}
