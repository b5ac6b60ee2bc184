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
        let place = kept.firstPlace { $0.timestamp >= reading.timestamp }
        guard place < kept.count else {
            kept.append(reading)
            return .added
        }
        guard kept[place].timestamp == reading.timestamp else {
            kept.insert(reading, at: place)
            return .added
        }
        if kept[place].value == reading.value || kept[place].position > reading.position { return .repeated }
        kept[place] = reading
        return .corrected
    }

    /// The first slot at or after `slot` that has a reading.
    func firstSlot(from slot: Slot, cadence: Cadence) -> Slot? {
        let start = cadence.start(of: slot)
        let place = kept.firstPlace { $0.timestamp >= start }
        return place < kept.count ? cadence.slot(of: kept[place].timestamp) : nil
    }

    /// The values of `slot`, by ascending timestamp.
    func values(in slot: Slot, cadence: Cadence) -> [Double] {
        let from = firstPlace(of: slot, cadence)
        return kept[from...].prefix { cadence.slot(of: $0.timestamp) == slot }.map(\.value)
    }

    /// The value of `slot` if it has exactly one reading.
    func onlyValue(in slot: Slot, cadence: Cadence) -> Double? {
        let from = firstPlace(of: slot, cadence)
        guard from < kept.count, cadence.slot(of: kept[from].timestamp) == slot else { return nil }
        let next = from + 1
        return next < kept.count && cadence.slot(of: kept[next].timestamp) == slot ? nil : kept[from].value
    }

    /// Drops the readings before `timestamp`; now and then, so that the cost per reading is constant.
    mutating func prune(before timestamp: Timestamp) {
        let dropped = kept.firstPlace { $0.timestamp >= timestamp }
        guard dropped > 256 || dropped > kept.count / 2 else { return }
        kept.removeFirst(dropped)
    }

    private func firstPlace(of slot: Slot, _ cadence: Cadence) -> Int {
        let start = cadence.start(of: slot)
        return kept.firstPlace { $0.timestamp >= start }
    }
}
