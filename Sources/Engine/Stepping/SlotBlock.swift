import TimeSeries

/// The slots that one multiple of a length begins: what tells without a division whether a slot still belongs to them.
struct SlotBlock {
    private let start: Slot
    private let length: UInt64

    /// The block that holds `slot`; `length` is positive.
    init(of slot: Slot, length: Int64) {
        // May lie before the first slot of all, and wraps then, as the difference below does.
        start = floorDivide(slot, length) &* length
        self.length = UInt64(length)
    }

    func contains(_ slot: Slot) -> Bool { UInt64(bitPattern: slot &- start) < length }
}
