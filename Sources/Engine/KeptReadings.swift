import TimeSeries

/// The readings of a series that its state may still be replayed from, by ascending timestamp.
struct KeptReadings: Sendable {
    struct Kept: Sendable, Hashable {
        var timestamp: Timestamp
        var value: Double
        var position: JournalPosition
    }

    enum Change { case added, corrected, repeated }

    private(set) var kept: [Kept] = []

    /// Takes a reading in. For one timestamp the highest journal position wins; an equal resend changes nothing.
    mutating func insert(_ reading: Kept) -> Change {
        let place = firstIndex(notBefore: reading.timestamp)
        guard place < kept.count, kept[place].timestamp == reading.timestamp else {
            kept.insert(reading, at: place)
            return .added
        }
        if kept[place].value == reading.value || kept[place].position > reading.position { return .repeated }
        kept[place] = reading
        return .corrected
    }

    /// The first slot at or after `slot` that has a reading.
    func firstSlot(from slot: Slot, cadence: Cadence) -> Slot? {
        let place = firstIndex(notBefore: cadence.start(of: slot))
        return place < kept.count ? cadence.slot(of: kept[place].timestamp) : nil
    }

    /// The values of `slot`, by ascending timestamp.
    func values(in slot: Slot, cadence: Cadence) -> [Double] {
        let from = firstIndex(notBefore: cadence.start(of: slot))
        return kept[from...].prefix { cadence.slot(of: $0.timestamp) == slot }.map(\.value)
    }

    /// Drops the readings before `timestamp`; now and then, so that the cost per reading is constant.
    mutating func prune(before timestamp: Timestamp) {
        let dropped = firstIndex(notBefore: timestamp)
        guard dropped > 256 || dropped > kept.count / 2 else { return }
        kept.removeFirst(dropped)
    }

    private func firstIndex(notBefore timestamp: Timestamp) -> Int {
        // Most readings are the newest.
        guard let last = kept.last, last.timestamp >= timestamp else { return kept.count }
        var low = 0
        var high = kept.count
        while low < high {
            let middle = (low + high) / 2
            if kept[middle].timestamp < timestamp { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
