import TimeSeries

/// The values of a series' slots in ascending order, without the empty ones: what lags are read from.
///
/// Sparse on purpose: a gap costs nothing, and after a roll-back exactly the values before it are still there.
struct SlotValues: Sendable {
    private(set) var slots: [Slot] = []
    private(set) var values: [Float] = []

    var newest: Slot? { slots.last }

    /// The value of `slot`; NaN when it is empty.
    subscript(slot: Slot) -> Float {
        guard let last = slots.last, slot <= last else { return .nan }
        // Without gaps the place is known; with gaps it can only be farther right than this guess, so search.
        let guess = slots.count - 1 - Int(clamping: last - slot)
        if guess >= 0, slots[guess] == slot { return values[guess] }
        let place = slots.firstPlace { $0 >= slot }
        return place < slots.count && slots[place] == slot ? values[place] : .nan
    }

    /// Adds a slot newer than all others.
    mutating func append(_ value: Float, at slot: Slot) {
        slots.append(slot)
        values.append(value)
    }

    /// Forgets every slot after `slot`.
    mutating func truncate(after slot: Slot) {
        let kept = slots.firstPlace { $0 > slot }
        slots.removeLast(slots.count - kept)
        values.removeLast(values.count - kept)
    }

    /// Forgets every slot before `slot`; now and then, so that the cost per slot is constant.
    mutating func prune(before slot: Slot) {
        let dropped = slots.firstPlace { $0 >= slot }
        guard dropped > 1_024 || dropped > slots.count / 2 else { return }
        slots.removeFirst(dropped)
        values.removeFirst(dropped)
    }
}

extension Float {
    /// The value of a slot as forecasters see it. One beyond 10¹⁸ counts as missing: its square would be beyond float32, and
    /// one such reading would leave infinities in a state for ever.
    init(slotValue: Double) { self = slotValue.magnitude <= 1e18 ? Float(slotValue) : .nan }
}
