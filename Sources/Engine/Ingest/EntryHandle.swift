import CMemory
import TimeSeries

/// The address of the writer's entry of a series; valid until the writer forgets the series.
///
/// Only the writer's thread may use it; see ``SeriesHandle`` for why it is an address.
struct EntryHandle: Hashable {
    private let address: UnsafeMutablePointer<SeriesEntry>

    /// Moves `entry` into its own allocation.
    init(_ entry: consuming SeriesEntry) {
        address = .allocate(capacity: 1)
        address.initialize(to: entry)
    }

    /// Frees the entry; neither this handle nor a copy of it may be used again.
    func free() {
        address.deinitialize(count: 1)
        address.deallocate()
    }

    var id: SeriesID { address.pointee.id }
    var key: SeriesKey { address.pointee.key }
    var cadence: Cadence? { address.pointee.cadence }
    var latenessSlots: Int? { address.pointee.latenessSlots }
    var frontier: Slot? { address.pointee.frontier }
    var hasNewArrival: Bool { address.pointee.hasNewArrival }
    var lastArrival: Timestamp? { address.pointee.lastArrival }

    var rule: SeriesRule {
        get { address.pointee.rule }
        nonmutating set { address.pointee.rule = newValue }
    }
    var forecaster: String? {
        get { address.pointee.forecaster }
        nonmutating set { address.pointee.forecaster = newValue }
    }

    func admit(_ timestamp: Timestamp) -> SeriesEntry.Change { address.pointee.admit(timestamp) }
    func undo(_ change: SeriesEntry.Change) { address.pointee.undo(change) }
    func prune() { address.pointee.prune() }
    func slots(on grid: ModelChange.Grid?) -> (cadence: Cadence?, frontier: Slot?) { address.pointee.slots(on: grid) }
    func move(to grid: ModelChange.Grid) { address.pointee.move(to: grid) }
    func recordArrival(at time: Timestamp) { address.pointee.recordArrival(at: time) }

    /// Prefetches what ``admit(_:)`` reads of the entry itself.
    @inline(__always)
    func prefetch() { prefetch_bytes(address, SeriesEntry.admittedSize) }
    /// Prefetches the header of the window's array; after ``prefetch()``.
    @inline(__always)
    func prefetchWindow() { address.pointee.prefetchWindow() }
    /// Prefetches the newest timestamps; after ``prefetchWindow()``.
    @inline(__always)
    func prefetchWindowEnd() { address.pointee.prefetchWindowEnd() }
}
