import Basics
import TimeSeries

/// Admits or refuses each reading of a commit, and undoes all its changes if the commit fails.
///
/// The rules use event time: a reading is refused or classified by its own timestamp and the series' frontier. Only two
/// checks use the time of day: too far ahead, and clock unset.
struct Admission {
    private(set) var readings: [Reading] = []
    /// The indices of the series whose cadence was determined in this commit.
    private(set) var seriesWithNewCadence: [Int] = []

    private var changes: [(index: Int, change: SeriesEntry.Change)] = []
    /// The number of series before this commit.
    private let initialCount: Int
    private let maxSeries: Int
    private let now: Timestamp
    private let clockIsSet: Bool
    private static let clockTolerance: Int64 = 300_000_000_000

    /// - Parameter count: the number of readings in the commit.
    init(_ entries: borrowing SeriesIndex, maxSeries: Int, now: Timestamp, clockIsSet: Bool, count: Int) {
        (initialCount, self.maxSeries) = (entries.count, maxSeries)
        (self.now, self.clockIsSet) = (now, clockIsSet)
        readings.reserveCapacity(count)
        changes.reserveCapacity(count)
    }

    /// Admits or refuses one reading.
    ///
    /// - Parameters:
    ///   - arrivedAt: the timestamp of a reading that has none of its own.
    ///   - entries: the existing series.
    ///   - create: creates a missing series.
    mutating func admit(
        _ incoming: IncomingReading, arrivedAt: Timestamp, in entries: inout SeriesIndex,
        create: (SeriesKey) throws -> SeriesEntry
    ) throws -> Result<Timeliness, Refused> {
        guard incoming.value.isFinite else { return .failure(Refused(.notFinite)) }
        let timestamp: Timestamp
        switch stamp(incoming.timestamp, arrivedAt: arrivedAt) {
        case .success(let stamped): timestamp = stamped
        case .failure(let refused): return .failure(refused)
        }
        let index: Int
        switch try self.index(of: incoming.key, in: &entries, create) {
        case .success(let value): index = value
        case .failure(let refused): return .failure(refused)
        }
        let change = entries.values[index].admit(timestamp)
        changes.append((index, change))
        if change.didSetCadence { seriesWithNewCadence.append(index) }
        guard let timeliness = change.timeliness else { return .failure(Refused(.slotFull)) }
        readings.append(
            Reading(
                series: entries.values[index].id, timestamp: timestamp, value: incoming.value,
                timeliness: timeliness))
        return .success(timeliness)
    }

    private func index(
        of key: SeriesKey, in entries: inout SeriesIndex, _ create: (SeriesKey) throws -> SeriesEntry
    ) throws -> Result<Int, Refused> {
        if let index = entries.find(key) { return .success(index) }
        // An existing series, created before this rule, stays accepted.
        if let character = key.description.unicodeScalars.first(where: \.isUnprintable) {
            return .failure(Refused(.unprintableName, character))
        }
        guard key.description.utf8.count <= SeriesKey.longest else { return .failure(Refused(.nameTooLong)) }
        guard entries.count < maxSeries else { return .failure(Refused(.tooManySeries)) }
        return .success(entries.add(try create(key)))
    }

    /// The indices of the series that the readings belong to.
    var seriesIndices: Set<Int> { Set(changes.map(\.index)) }

    /// Prunes the changed series once the commit has succeeded.
    func confirm(_ entries: borrowing SeriesIndex) {
        for (index, change) in changes where change.isPruningDue { entries.values[index].prune() }
    }

    /// Undoes every change to the series and removes the new ones.
    func undo(in entries: inout SeriesIndex) {
        if !PlantedBug.failedCommitKeepsChanges.isActive {
            for (index, change) in changes.reversed() { entries.values[index].undo(change) }
        }
        entries.removeNewest(downTo: initialCount)
    }

    private func stamp(_ given: Timestamp?, arrivedAt: Timestamp) -> Result<Timestamp, Refused> {
        if !clockIsSet, PlantedBug.unsetClockDenies.isActive { return .failure(Refused(.clockUnset)) }
        guard let given else { return clockIsSet ? .success(arrivedAt) : .failure(Refused(.clockUnset)) }
        guard given.nanoseconds > .min + 1_000_000_000, given.nanoseconds < .max - 1_000_000_000 else {
            return .failure(Refused(.outOfRange))
        }
        if clockIsSet, given.nanoseconds(since: now) > Self.clockTolerance { return .failure(Refused(.tooFarAhead)) }
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
