import CMemory
import Forecasting
import Storage
import TimeSeries

/// The address of a shard's state of a series; valid until the shard removes the series.
///
/// Only the thread of the shard that owns the series may use it. It is an address and not an object: a step uses a
/// series in a dozen places, each of which would count references and check for exclusive access, and the first would
/// wait for memory that was not prefetched.
struct SeriesHandle {
    private let address: UnsafeMutablePointer<SeriesState>

    /// Moves `state` into its own allocation.
    init(_ state: consuming SeriesState) {
        address = .allocate(capacity: 1)
        address.initialize(to: state)
    }

    /// Frees the series; neither this handle nor a copy of it may be used again.
    func free() {
        address.deinitialize(count: 1)
        address.deallocate()
    }

    var id: SeriesID { address.pointee.id }
    var key: SeriesKey { address.pointee.key }
    var cadence: Cadence? { address.pointee.cadence }
    var latenessSlots: Int { address.pointee.latenessSlots }
    var maxGap: Int { address.pointee.maxGap }
    var absorbed: JournalPosition { address.pointee.absorbed }
    var counts: SeriesCounts { address.pointee.counts }
    var newest: KeptReadings.Entry? { address.pointee.newest }
    var values: SlotValues { address.pointee.values }
    var runningState: RunningStateHandle? { address.pointee.runningState }
    var finishedBlocks: [SlotScores] { address.pointee.finishedBlocks }
    var hasUnsavedOutages: Bool { address.pointee.outages.hasUnsaved }
    var hasAnomalies: Bool { !address.pointee.anomalies.isEmpty }

    var isEpochPending: Bool {
        get { address.pointee.isEpochPending }
        nonmutating set { address.pointee.isEpochPending = newValue }
    }
    var isBehind: Bool {
        get { address.pointee.isBehind }
        nonmutating set { address.pointee.isBehind = newValue }
    }
    var cacheUse: SeriesState.CacheUse {
        get { address.pointee.cacheUse }
        nonmutating set { address.pointee.cacheUse = newValue }
    }
    var anomalyRule: AnomalyRule? {
        get { address.pointee.anomalyRule }
        nonmutating set { address.pointee.anomalyRule = newValue }
    }

    // MARK: Readings and models

    func set(cadence: Cadence, latenessSlots: Int) {
        address.pointee.set(cadence: cadence, latenessSlots: latenessSlots)
    }
    func absorb(_ reading: Reading, at position: JournalPosition) { address.pointee.absorb(reading, at: position) }
    func load(_ assignment: Assignment, history: KeptReadings) {
        address.pointee.load(assignment, checkpoint: nil, history: history)
    }
    func stopForecasting() { address.pointee.stopForecasting() }
    func prepareEpoch() -> SlotScores? { address.pointee.prepareEpoch() }

    // MARK: Stepping

    func nextStep() -> SeriesState.Step? { address.pointee.nextStep() }
    func begin(_ step: SeriesState.Step) -> ServedRow? { address.pointee.begin(step) }
    func end(_ step: SeriesState.Step, isAbsent: Bool) { address.pointee.end(step, isAbsent: isAbsent) }
    func skip(_ step: SeriesState.Step) { address.pointee.skip(step) }

    // MARK: Results of steps

    func blockOfHead() -> SlotScores? { address.pointee.blockOfHead() }
    func drainFinishedBlocks() -> [SlotScores] { address.pointee.drainFinishedBlocks() }
    func drainUnsavedOutages() -> [Outage] { address.pointee.drainUnsavedOutages() }
    func drainAnomalies(now: Timestamp) -> [SeriesAnomaly] { address.pointee.drainAnomalies(now: now) }
    func advanceBase(kernel: String) -> Checkpoint? { address.pointee.advanceBase(kernel: kernel) }

    // MARK: Prefetching

    /// Prefetches the series itself.
    @inline(__always)
    func prefetch() { prefetch_bytes(address, MemoryLayout<SeriesState>.size) }
    /// Prefetches what the series points to; after ``prefetch()``.
    @inline(__always)
    func prefetchReferences() { address.pointee.prefetchReferences() }
    /// Prefetches what that memory points to; after ``prefetchReferences()``.
    @inline(__always)
    func prefetchValues() { address.pointee.prefetchValues() }
}
