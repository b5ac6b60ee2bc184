import TimeSeries

/// A block of slots that begins at a multiple of its length; tests without a division whether it contains a slot.
struct SlotBlock {
    private let start: Slot
    private let length: UInt64

    /// The block that contains `slot`; `length` is positive.
    init(of slot: Slot, length: Int64) {
        // Wraps if the block begins before the smallest slot, as does the difference below.
        start = floorDivide(slot, length) &* length
        self.length = UInt64(length)
    }

    func contains(_ slot: Slot) -> Bool { UInt64(bitPattern: slot &- start) < length }
}
