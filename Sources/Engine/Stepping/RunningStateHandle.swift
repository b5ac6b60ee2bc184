import CMemory
import Forecasting
import Storage
import TimeSeries

/// The address of the running state of a series; valid until the series stops being forecast or is removed.
///
/// Only the thread of the shard that owns the series may use it; see ``SeriesHandle`` for why it is an address.
struct RunningStateHandle {
    private let address: UnsafeMutablePointer<RunningState>

    /// Moves `state` into its own allocation.
    init(_ state: consuming RunningState) {
        address = .allocate(capacity: 1)
        address.initialize(to: state)
    }

    /// Replaces the running state in place.
    func replace(with state: consuming RunningState) {
        address.deinitialize(count: 1)
        address.initialize(to: state)
    }

    /// Frees the state; neither this handle nor a copy of it may be used again.
    func free() {
        address.deinitialize(count: 1)
        address.deallocate()
    }

    var version: LoadedVersion { address.pointee.version }
    var modelID: ObjectIdentifier { address.pointee.modelID }
    var model: ServedModel { address.pointee.model }
    var epoch: Epoch { address.pointee.epoch }
    var calendar: LocalCalendar { address.pointee.calendar }
    var calendarID: ObjectIdentifier { address.pointee.calendarID }
    var firstSlot: Slot { address.pointee.firstSlot }
    var firstOwnSlot: Slot { address.pointee.firstOwnSlot }
    var baseSlot: Slot? { address.pointee.baseSlot }
    var headSlot: Slot? { address.pointee.headSlot }
    var open: RunningState.Open? { address.pointee.open }
    var headState: UnsafeBufferPointer<Float> { address.pointee.headState }
    var openState: UnsafeBufferPointer<Float> { address.pointee.openState }
    var forecast: UnsafeBufferPointer<Float> { address.pointee.forecast }
    var head: RunningState.Snapshot { address.pointee.head }
    var newestState: [Float] { address.pointee.newestState }
    var snapshots: [RunningState.Snapshot] { address.pointee.snapshots }
    var baseState: [Float] { address.pointee.baseState }
    var headExpectation: [Float] { address.pointee.headExpectation }
    var closingExpectation: [Float] { address.pointee.closingExpectation }

    func rollBack(before slot: Slot) { address.pointee.rollBack(before: slot) }
    func nextSlot(nextValue: Slot, maxGap: Int) -> Slot {
        address.pointee.nextSlot(nextValue: nextValue, maxGap: maxGap)
    }
    func beginOpen(
        _ slot: Slot
    ) -> (state: UnsafeMutablePointer<Float>?, forecast: UnsafeMutablePointer<Float>?) {
        address.pointee.beginOpen(slot)
    }
    func beginClosed(_ slot: Slot) -> UnsafeMutablePointer<Float>? { address.pointee.beginClosed(slot) }
    func open(_ slot: Slot, value: Float, isAbsent: Bool) {
        address.pointee.open(slot, value: value, isAbsent: isAbsent)
    }
    func close(_ slot: Slot, value: Float, spacing: Int64) {
        address.pointee.close(slot, value: value, spacing: spacing)
    }
    func advanceHead(to slot: Slot, value: Float, spacing: Int64) {
        address.pointee.advanceHead(to: slot, value: value, spacing: spacing)
    }
    func dropSnapshots(before slot: Slot) -> Bool { address.pointee.dropSnapshots(before: slot) }

    /// Prefetches what a step reads.
    @inline(__always)
    func prefetch() { prefetch_bytes(address, RunningState.steppedSize) }
    /// Prefetches what the next step reads and writes; after ``prefetch()``.
    @inline(__always)
    func prefetchRows() { address.pointee.prefetchRows() }
}
