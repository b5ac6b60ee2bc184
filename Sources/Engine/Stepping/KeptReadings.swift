import Basics
import Storage
import TimeSeries

/// The readings of a series from which its state may still be replayed, by ascending timestamp.
struct KeptReadings: Sendable {
    struct Entry: Sendable, Hashable {
        var timestamp: Timestamp
        var value: Double
        var position: JournalPosition
    }

    enum Change { case added, corrected, repeated }

    private(set) var entries: [Entry] = []
    /// The last result of ``seek(_:)``.
    private var cursor = 0

    init() {}

    /// The history that an epoch begins with.
    ///
    /// - Parameter position: the position at which the epoch began: only late readings up to it are included.
    init(_ readings: [PositionedReading], lateThrough position: JournalPosition) {
        entries.reserveCapacity(readings.count)
        for item in readings where item.reading.timeliness == .fresh || item.position <= position {
            _ = insert(Entry(timestamp: item.reading.timestamp, value: item.reading.value, position: item.position))
        }
    }

    /// Inserts a reading.
    ///
    /// Of two with the same timestamp, the one with the higher journal position wins; an identical resend changes
    /// nothing.
    mutating func insert(_ reading: Entry) -> Change {
        let index = entries.partitioningIndex { $0.timestamp >= reading.timestamp }
        guard index < entries.count else {
            if entries.count == entries.capacity { entries.reserveCapacity(targetCapacity) }
            entries.append(reading)
            return .added
        }
        guard entries[index].timestamp == reading.timestamp, !PlantedBug.resendCounts.isActive else {
            entries.insert(reading, at: index)
            return .added
        }
        // Compares the bits: 0 and −0 may lead to different states.
        let isEqual = entries[index].value.bitPattern == reading.value.bitPattern
        if isEqual || entries[index].position > reading.position { return .repeated }
        entries[index] = reading
        return .corrected
    }

    /// The index of the first reading at or after `timestamp`; `entries.count` if there is none.
    func index(from timestamp: Timestamp) -> Int { entries.partitioningIndex { $0.timestamp >= timestamp } }

    /// ``index(from:)`` for sequential access: the result is usually the last one or the one after it.
    mutating func seek(_ timestamp: Timestamp) -> Int {
        if !isIndex(cursor, from: timestamp) {
            cursor = isIndex(cursor + 1, from: timestamp) ? cursor + 1 : index(from: timestamp)
        }
        return cursor
    }

    private func isIndex(_ index: Int, from timestamp: Timestamp) -> Bool {
        index <= entries.count && (index == entries.count || entries[index].timestamp >= timestamp)
            && (index == 0 || entries[index - 1].timestamp < timestamp)
    }

    /// The first slot at or after `slot` that has a reading.
    func firstSlot(from slot: Slot, cadence: Cadence) -> Slot? {
        let index = index(from: cadence.start(of: slot))
        return index < entries.count ? cadence.slot(of: entries[index].timestamp) : nil
    }

    /// The values of `slot`, by ascending timestamp.
    func values(in slot: Slot, cadence: Cadence) -> [Double] {
        let from = index(from: cadence.start(of: slot))
        return entries[from...].prefix { cadence.slot(of: $0.timestamp) == slot }.map(\.value)
    }

    /// Drops the readings before `timestamp`, but only occasionally, so that the cost per reading is amortized
    /// constant.
    mutating func prune(before timestamp: Timestamp) {
        let dropped = index(from: timestamp)
        guard dropped > 256 || dropped > entries.count / 4 else { return }
        entries.removeFirst(dropped)
        cursor = max(0, cursor - dropped)
        // Shrinks the array after a replay of a long history.
        guard entries.capacity > 2 * targetCapacity else { return }
        var remaining: [Entry] = []
        remaining.reserveCapacity(targetCapacity)
        remaining += entries
        entries = remaining
    }

    /// The capacity to reserve: the present readings and a quarter more.
    ///
    /// Doubling would leave half of it unused: the number of readings stays at what the lateness requires.
    private var targetCapacity: Int { entries.count + max(8, entries.count / 4) }
}
