import TimeSeries

/// The values of a series' slots in ascending order, without the empty ones: what lags are read from.
///
/// Sparse on purpose: a gap costs nothing, and after a roll-back exactly the values before it are still there.
struct SlotValues: Sendable {
    private(set) var entries: [(slot: Slot, value: Float)] = []

    var newest: Slot? { entries.last?.slot }

    /// The value of `slot`; NaN when it is empty.
    subscript(slot: Slot) -> Float {
        guard let last = newest, slot <= last else { return .nan }
        // Without gaps the place is known; with gaps it can only be farther right than this guess, so search.
        let guess = entries.count - 1 - Int(clamping: last - slot)
        if guess >= 0, entries[guess].slot == slot { return entries[guess].value }
        return first(from: slot).flatMap { $0.slot == slot ? $0.value : nil } ?? .nan
    }

    /// The oldest entry from `slot` on.
    func first(from slot: Slot) -> (slot: Slot, value: Float)? {
        let place = entries.firstPlace { $0.slot >= slot }
        return place < entries.count ? entries[place] : nil
    }

    /// Adds a slot newer than all others.
    mutating func append(_ value: Float, at slot: Slot) { entries.append((slot, value)) }

    /// Forgets every slot after `slot`.
    mutating func truncate(after slot: Slot) {
        entries.removeLast(entries.count - entries.firstPlace { $0.slot > slot })
    }

    /// Forgets every slot before `slot`; now and then, so that the cost per slot is constant. Not seldom: with many series
    /// what is forgotten late is the larger part of what they need.
    mutating func prune(before slot: Slot) {
        let dropped = entries.firstPlace { $0.slot >= slot }
        guard dropped > entries.count / 20 else { return }
        entries.removeFirst(dropped)
    }
}

extension Float {
    /// The value of a slot as forecasters see it. One beyond 10¹⁸ counts as missing: its square would be beyond float32, and
    /// one such reading would leave infinities in a state for ever.
    init(slotValue: Double) { self = slotValue.magnitude <= 1e18 ? Float(slotValue) : .nan }
}
