import Basics
import Forecasting
import Storage
import TimeSeries

/// A shard's state of one series: the readings it may be replayed from, the slot values and the running state.
///
/// Owned by one shard thread.
struct SeriesState: ~Copyable {
    let id: SeriesID
    let key: SeriesKey
    /// The aggregate of the running state's epoch.
    private(set) var aggregate: Aggregate
    private(set) var maxGap = 0
    private(set) var cadence: Cadence?
    private(set) var latenessSlots = 0
    private(set) var kept = KeptReadings()
    var values = SlotValues()
    private(set) var runningState: RunningStateHandle?
    /// The outages of the running state's epoch.
    var outages = Outages()
    /// The newest slot with a reading; nil before the cadence is known.
    private(set) var frontier: Slot?
    /// Readings before this time are ignored as late.
    private var lateBefore = Timestamp.distantPast
    /// The highest journal position whose reading changed anything here.
    private(set) var absorbed: JournalPosition = 0
    private(set) var counts = SeriesCounts()
    /// Whether a change of its model is pending: nothing may be pruned or handed over.
    var isEpochPending = false
    /// Whether it is in its shard's list of series with steps to do.
    var isBehind = false
    /// Whether the shard's forecast cache holds its forecast.
    var cacheUse = CacheUse.none
    var finishedBlocks: [SlotScores] = []
    /// The block of slots that is scored together with the head; nil: unknown.
    var scoredBlock: SlotBlock?
    /// Which closed slots are anomalies; nil: none.
    var anomalyRule: AnomalyRule?
    var anomalyDetector = AnomalyDetector()
    /// Anomalies that were not published yet.
    var anomalies: [SeriesAnomaly] = []
    /// The slot of the newest checkpoint.
    var checkpointSlot: Slot?

    /// What the shard's forecast cache holds of a series.
    enum CacheUse {
        case none, cached
        /// Its forecast was read there, so the next one is to be cached.
        case requested
    }

    /// The number of slots kept for charts when no lag needs more.
    static let chartSlots = 240

    init(setup: SeriesSetup) {
        id = setup.record.id
        key = setup.record.key
        aggregate = setup.record.aggregate
        cadence = setup.record.cadence
        latenessSlots = setup.record.latenessSlots ?? 0
        load(setup.assignment, checkpoint: setup.checkpoint, history: setup.history, outages: setup.outages)
        counts.readings = kept.entries.count
        if let frontier { anomalyDetector = AnomalyDetector(mutedThrough: frontier - 1) }
    }

    deinit { runningState?.free() }

    var newest: KeptReadings.Entry? { kept.entries.last }

    mutating func set(cadence: Cadence, latenessSlots: Int) {
        self.cadence = cadence
        self.latenessSlots = latenessSlots
        updateFrontier()
    }

    private mutating func updateFrontier() {
        frontier = cadence.flatMap { cadence in newest.map { cadence.slot(of: $0.timestamp) } }
    }

    /// Drops the readings up to `slot`, the base of the running state, and the values and outages that are no longer
    /// needed.
    mutating func prune(through slot: Slot, cadence: Cadence) {
        lateBefore = cadence.start(of: slot + 1)
        kept.prune(before: lateBefore)
        values.prune(before: slot - Int64(max(runningState?.model.lags.last ?? 0, Self.chartSlots)))
        outages.prune(through: slot)
    }

    /// Absorbs a committed reading; an out-of-order one rolls the running state back to before its slot.
    mutating func absorb(_ reading: Reading, at position: JournalPosition) {
        guard reading.timeliness == .fresh || PlantedBug.lateReadingsCount.isActive, reading.timestamp >= lateBefore
        else {
            counts.late += 1
            return
        }
        insert(KeptReadings.Entry(timestamp: reading.timestamp, value: reading.value, position: position))
    }

    private mutating func insert(_ reading: KeptReadings.Entry) {
        switch kept.insert(reading) {
        case .repeated:
            counts.repeated += 1
            return
        case .added: counts.readings += 1
        case .corrected: counts.corrected += 1
        }
        absorbed = max(absorbed, reading.position)
        guard let cadence else { return }
        // Compares times with slot starts: a 64-bit division costs as much as ten comparisons.
        if frontier.map({ reading.timestamp >= cadence.start(of: $0 + 1) }) ?? true { updateFrontier() }
        guard let steppedThrough, reading.timestamp < cadence.start(of: steppedThrough + 1) else { return }
        if PlantedBug.noRollBack.isActive { return }
        rollBack(before: cadence.slot(of: reading.timestamp))
    }

    /// The newest slot whose value is fixed in `values`: the head, or the slots before the running state's first.
    private var steppedThrough: Slot? {
        guard let runningState else { return nil }
        return runningState.headSlot
            ?? (runningState.firstSlot == .min ? nil : runningState.firstSlot - 1)
    }

    private mutating func rollBack(before slot: Slot) {
        runningState?.rollBack(before: slot)
        scoredBlock = nil
        values.truncate(after: min(slot - 1, steppedThrough ?? .min))
        fillValues()
    }

    /// Aggregates the kept readings of the slots that the running state has passed or will never step over.
    private mutating func fillValues() {
        guard let cadence, let end = steppedThrough else { return }
        var next = values.newest.map { $0 + 1 } ?? .min
        while let filled = firstReading(from: next, cadence: cadence), filled.slot <= end {
            values.append(value(of: filled, cadence: cadence), at: filled.slot)
            next = filled.slot + 1
        }
    }

    /// A slot with readings.
    struct FilledSlot {
        var slot: Slot
        /// The index of its first reading in ``kept``.
        var index: Int
    }

    /// The first slot at or after `slot` that has a reading.
    mutating func firstReading(from slot: Slot, cadence: Cadence) -> FilledSlot? {
        let index = kept.seek(cadence.start(of: slot))
        guard index < kept.entries.count else { return nil }
        let time = kept.entries[index].timestamp
        if let frontier, time >= cadence.start(of: frontier) { return FilledSlot(slot: frontier, index: index) }
        // In the common case, without a gap, it is the requested slot.
        let isNext = slot < .max && time < cadence.start(of: slot + 1)
        return FilledSlot(slot: isNext ? slot : cadence.slot(of: time), index: index)
    }

    func value(of filled: FilledSlot, cadence: Cadence) -> Float {
        let (end, next) = (cadence.start(of: filled.slot + 1), filled.index + 1)
        // Every aggregate of a single value is that value.
        guard next < kept.entries.count, kept.entries[next].timestamp < end else {
            return Float(slotValue: kept.entries[filled.index].value)
        }
        let values = kept.entries[filled.index...].prefix { $0.timestamp < end }.map(\.value)
        return aggregate(values).map { Float(slotValue: $0) } ?? .nan
    }

    /// Starts `assignment`'s running state: from `checkpoint` if it fits, otherwise from the beginning of its epoch.
    ///
    /// Recovery, warm-up after a promotion, and reset all use this function.
    mutating func load(
        _ assignment: Assignment?, checkpoint: Checkpoint?, history: KeptReadings,
        outages: [ClosedRange<Slot>] = []
    ) {
        self.outages = Outages(outages)
        let newer = kept
        let position = assignment?.epoch.position ?? 0
        kept = history
        values = SlotValues()
        for reading in newer.entries
        where reading.position > position && !PlantedBug.readingsBetweenPlanAndCommit.isActive {
            _ = kept.insert(reading)
        }
        absorbed = kept.entries.reduce(absorbed) { max($0, $1.position) }
        updateFrontier()
        begin(assignment, from: checkpoint)
        isEpochPending = false
        (checkpointSlot, scoredBlock, finishedBlocks) = (runningState?.headSlot, nil, [])
        lateBefore = .distantPast
        if let cadence, let base = runningState?.baseSlot { lateBefore = cadence.start(of: base + 1) }
        fillValues()
    }

    /// Stops forecasting the series; its readings are still kept.
    mutating func stopForecasting() {
        begin(nil, from: nil)
        outages = Outages()
        (isEpochPending, checkpointSlot, scoredBlock, finishedBlocks) = (false, nil, nil, [])
    }

    private mutating func begin(_ assignment: Assignment?, from checkpoint: Checkpoint?) {
        guard let assignment else {
            runningState?.free()
            return runningState = nil
        }
        (aggregate, maxGap) = (assignment.setting.aggregate, assignment.setting.maxGap)
        guard let runningState else {
            return runningState = RunningStateHandle(RunningState(assignment, checkpoint: checkpoint))
        }
        runningState.replace(with: RunningState(assignment, checkpoint: checkpoint))
    }
}
