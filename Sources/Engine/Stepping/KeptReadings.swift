import Storage
import TimeSeries

/// The readings of a series from which its state may still be replayed, by ascending timestamp.
struct KeptReadings: Sendable {
    struct Kept: Sendable, Hashable {
        var timestamp: Timestamp
        var value: Double
        var position: JournalPosition
    }

    enum Change { case added, corrected, repeated }

    private(set) var kept: [Kept] = []
    /// The last result of ``seek(_:)``.
    private var sought = 0

    init() {}

    /// The history that an epoch begins with.
    ///
    /// - Parameter position: the position at which the epoch began: only late readings up to it are included.
    init(_ readings: [PositionedReading], lateThrough position: JournalPosition) {
        kept.reserveCapacity(readings.count)
        for item in readings where item.reading.timeliness == .fresh || item.position <= position {
            _ = insert(Kept(timestamp: item.reading.timestamp, value: item.reading.value, position: item.position))
        }
    }

    /// Inserts a reading.
    ///
    /// Of two with the same timestamp, the one with the higher journal position wins; an identical resend changes
    /// nothing.
    mutating func insert(_ reading: Kept) -> Change {
        let place = kept.firstPlace { $0.timestamp >= reading.timestamp }
        guard place < kept.count else {
            if kept.count == kept.capacity { kept.reserveCapacity(roomyCount) }
            kept.append(reading)
            return .added
        }
        guard kept[place].timestamp == reading.timestamp else {
            kept.insert(reading, at: place)
            return .added
        }
        // Compares the bits: 0 and −0 may lead to different states.
        let isEqual = kept[place].value.bitPattern == reading.value.bitPattern
        if isEqual || kept[place].position > reading.position { return .repeated }
        kept[place] = reading
        return .corrected
    }

    /// The index of the first reading at or after `timestamp`; `kept.count` if there is none.
    func place(from timestamp: Timestamp) -> Int { kept.firstPlace { $0.timestamp >= timestamp } }

    /// ``place(from:)`` for sequential access: the result is usually the last one or the one after it.
    mutating func seek(_ timestamp: Timestamp) -> Int {
        if !isPlace(sought, from: timestamp) {
            sought = isPlace(sought + 1, from: timestamp) ? sought + 1 : place(from: timestamp)
        }
        return sought
    }

    private func isPlace(_ place: Int, from timestamp: Timestamp) -> Bool {
        place <= kept.count && (place == kept.count || kept[place].timestamp >= timestamp)
            && (place == 0 || kept[place - 1].timestamp < timestamp)
    }

    /// The first slot at or after `slot` that has a reading.
    func firstSlot(from slot: Slot, cadence: Cadence) -> Slot? {
        let place = place(from: cadence.start(of: slot))
        return place < kept.count ? cadence.slot(of: kept[place].timestamp) : nil
    }

    /// The values of `slot`, by ascending timestamp.
    func values(in slot: Slot, cadence: Cadence) -> [Double] {
        let from = place(from: cadence.start(of: slot))
        return kept[from...].prefix { cadence.slot(of: $0.timestamp) == slot }.map(\.value)
    }

    /// Drops the readings before `timestamp`, but only occasionally, so that the cost per reading is amortized
    /// constant.
    mutating func prune(before timestamp: Timestamp) {
        let dropped = place(from: timestamp)
        guard dropped > 256 || dropped > kept.count / 4 else { return }
        kept.removeFirst(dropped)
        sought = max(0, sought - dropped)
        // Shrinks the array after a replay of a long history.
        guard kept.capacity > 2 * roomyCount else { return }
        var left: [Kept] = []
        left.reserveCapacity(roomyCount)
        left += kept
        kept = left
    }

    /// The capacity for the present readings and some more. Doubling would leave half of it unused: the number of
    /// readings stays at what the lateness requires.
    private var roomyCount: Int { kept.count + max(8, kept.count / 4) }
}
