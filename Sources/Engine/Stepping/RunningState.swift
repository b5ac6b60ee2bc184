import Basics
import Forecasting
import Storage
import TimeSeries

/// The running state of one series under one epoch, with the snapshots that it can be rolled back to.
///
/// Owned by the series' shard thread. Modified in place: stepping a series reuses its memory.
struct RunningState: ~Copyable {
    /// A state after the step of `slot`, which had a value.
    struct Snapshot {
        /// nil: before the first slot.
        var slot: Slot?
        var state: [Float]
    }

    /// The step of the newest slot, which later readings may still change.
    struct Open {
        var slot: Slot
        var value: Float
        /// Whether the model did not respond: the state is the previous one, and there is no forecast.
        var isAbsent: Bool

        /// Whether this is still the step of `slot` with `value`; a step without an answer is retried.
        func isCurrent(_ slot: Slot, _ value: Float) -> Bool {
            self.slot == slot && !isAbsent
                && (self.value.bitPattern == value.bitPattern || PlantedBug.staleOpenSlot.isActive)
        }
    }

    let version: LoadedVersion
    /// The identity of ``version``, which is compared without reference counting.
    let modelID: ObjectIdentifier
    /// The earliest slot that the state may step over.
    let firstSlot: Slot
    /// The first slot of the epoch itself, from which on it is scored; the slots before are its warm-up.
    let firstOwnSlot: Slot
    private var floats: RunningStateRows
    /// The slots and the rows of the snapshots, ascending.
    private var snapshotRows: [(slot: Slot?, row: Int)] = []
    /// The slot of the second snapshot, the earliest that may become the base.
    private var secondSnapshot: Slot = .max
    /// The slots that already have a snapshot.
    private var snapshotBlock: SlotBlock?
    /// The slot of the first snapshot; nothing before it can change any more.
    private(set) var baseSlot: Slot?
    /// The newest closed slot.
    private(set) var headSlot: Slot?
    /// The row of the head; also that of the newest snapshot if ``isHeadSnapshot``.
    private var headRow: Int
    /// Whether the head is a snapshot, so that the next step must not modify its row.
    private var isHeadSnapshot = false
    /// The newest slot with a value that the head has stepped over.
    private(set) var lastValueSlot: Slot?
    private(set) var open: Open?
    private var openRow: Int
    /// The identity of ``calendar``, which is compared without reference counting.
    let calendarID: ObjectIdentifier
    // Last, because no step reads them.
    let calendar: LocalCalendar
    let epoch: Epoch

    /// The number of bytes that a step reads.
    static let steppedSize =
        MemoryLayout<RunningState>.size - MemoryLayout<Epoch>.size - MemoryLayout<LocalCalendar>.size

    var model: ServedModel { version.model }

    /// Starts from `checkpoint` if it belongs to this epoch and model, otherwise from the beginning of the epoch.
    init(_ assignment: Assignment, checkpoint: Checkpoint?) {
        let (epoch, version) = (assignment.epoch, assignment.version)
        let start = epoch.fromSlot.map { $0.subtractingReportingOverflow(Int64(epoch.warmUp)) }
        let usable = checkpoint.flatMap {
            $0.epoch == epoch.id && $0.state.count == version.model.stateCount ? $0 : nil
        }
        self.epoch = epoch
        self.version = version
        calendar = assignment.calendar
        calendarID = ObjectIdentifier(assignment.calendar)
        modelID = ObjectIdentifier(version)
        firstSlot = start.map { $0.overflow ? .min : $0.partialValue } ?? .min
        firstOwnSlot = epoch.fromSlot ?? .min
        floats = RunningStateRows(
            stateCount: version.model.stateCount, forecastCount: version.specification.forecastCount)
        (headRow, openRow) = (floats.allocateRow(), floats.allocateRow())
        _ = floats[headRow].update(fromContentsOf: usable?.state ?? version.model.initialState)
        (headSlot, lastValueSlot) = (usable?.slot, usable?.slot)
        keepSnapshot()
    }

    // MARK: Accessors

    /// `[stateCount]` after the newest closed slot; valid until the next step.
    var headState: UnsafeBufferPointer<Float> { UnsafeBufferPointer(floats[headRow]) }
    /// `[stateCount]` after the open step, if there is one; valid until the next step.
    var openState: UnsafeBufferPointer<Float> { UnsafeBufferPointer(floats[openRow]) }
    /// The forecast of the open step, `[forecastCount]`; valid until the next step.
    var forecast: UnsafeBufferPointer<Float> { UnsafeBufferPointer(floats.forecast) }

    /// A copy of the state after the newest closed slot.
    var head: Snapshot { Snapshot(slot: headSlot, state: Array(headState)) }
    /// A copy of the newest state, after the open step if there is one.
    var newestState: [Float] { Array(open == nil ? headState : openState) }
    /// Copies of the snapshots, ascending; never empty.
    var snapshots: [Snapshot] { snapshotRows.map { Snapshot(slot: $0.slot, state: Array(floats[$0.row])) } }
    /// A copy of the state at ``baseSlot``.
    var baseState: [Float] { Array(floats[snapshotRows[0].row]) }

    /// Prefetches what the next step reads and writes.
    func prefetchRows() {
        floats.prefetch(headRow)
        floats.prefetch(openRow)
    }

    // MARK: Stepping

    /// Rolls back to the newest snapshot before `slot`.
    mutating func rollBack(before slot: Slot) {
        open = nil
        guard let stepped = headSlot, stepped >= slot else { return }
        Place.rolledBack.reached()
        if !isHeadSnapshot { floats.freeRow(headRow) }
        while snapshotRows.count > 1, let newest = snapshotRows.last?.slot, newest >= slot {
            floats.freeRow(snapshotRows.removeLast().row)
        }
        let newest = snapshotRows[snapshotRows.count - 1]
        (headRow, isHeadSnapshot) = (newest.row, true)
        (headSlot, lastValueSlot) = (newest.slot, newest.slot)
        updateSnapshotBounds()
        snapshotBlock = nil
    }

    /// The slot to step next, given the next slot that has a reading.
    ///
    /// The first `maxGap` missing slots of a gap are stepped and the rest are skipped, so that the steps before a slot
    /// never depend on what comes after it.
    func nextSlot(nextValue: Slot, maxGap: Int) -> Slot {
        guard let slot = headSlot, let lastValueSlot, slot - lastValueSlot < Int64(maxGap) else {
            if let headSlot, nextValue > headSlot + 1 { Place.gapSkipped.reached() }
            return nextValue
        }
        return min(slot + 1, nextValue)
    }

    /// Begins the step of the newest slot, `slot`, on a copy of the newest closed state; discards the open step.
    ///
    /// - Returns: the buffers for the state, `[stateCount]`, and for the forecast, `[forecastCount]`.
    mutating func beginOpen(_ slot: Slot) -> (
        state: UnsafeMutablePointer<Float>?, forecast: UnsafeMutablePointer<Float>?
    ) {
        open = nil
        _ = floats[openRow].update(fromContentsOf: floats[headRow])
        endWarmUp(with: slot, in: openRow)
        return (floats[openRow].baseAddress, floats.forecast.baseAddress)
    }

    /// Begins the step of a closing slot, `slot`, in place on the newest closed state unless that is a snapshot.
    ///
    /// After a long gap or in a large batch nearly all steps are of this kind, and memory access is most of their cost.
    /// Discards the open step and puts the head's expectation into the forecast's buffer.
    ///
    /// - Returns: the buffer for the state, `[stateCount]`.
    mutating func beginClosed(_ slot: Slot) -> UnsafeMutablePointer<Float>? {
        open = nil
        _ = floats.forecast.update(fromContentsOf: model.expectation(in: headState))
        if isHeadSnapshot { detachFromSnapshot() }
        endWarmUp(with: slot, in: headRow)
        return floats[headRow].baseAddress
    }

    private func endWarmUp(with slot: Slot, in row: Int) {
        guard slot >= firstOwnSlot, let headSlot, headSlot < firstOwnSlot, let state = floats[row].baseAddress else {
            return
        }
        model.forgetScores(in: state)
    }

    /// The head's forecast of the slot after it, `[quantiles]`.
    var headExpectation: [Float] { Array(model.expectation(in: headState)) }
    /// The forecast of the slot of the last ``beginClosed(_:)``, `[quantiles]`.
    var closingExpectation: [Float] { Array(forecast.prefix(version.specification.quantiles.count)) }

    /// Completes a begun step as that of the newest slot.
    mutating func open(_ slot: Slot, value: Float, isAbsent: Bool) {
        open = Open(slot: slot, value: value, isAbsent: isAbsent)
    }

    /// Closes the slot of the open step, whose state becomes the head.
    mutating func close(_ slot: Slot, value: Float, spacing: Int64) {
        open = nil
        let spareRow = isHeadSnapshot ? floats.allocateRow() : headRow
        (headRow, openRow, isHeadSnapshot) = (openRow, spareRow, false)
        advanceHead(to: slot, value: value, spacing: spacing)
    }

    /// Moves the head to `slot`, which it has just stepped over.
    mutating func advanceHead(to slot: Slot, value: Float, spacing: Int64) {
        headSlot = slot
        guard !value.isNaN else { return }
        lastValueSlot = slot
        if snapshotBlock?.contains(slot) ?? false { return }
        let crossed = snapshotRows.last?.slot.map { !SlotBlock(of: $0, length: spacing).contains(slot) } ?? true
        snapshotBlock = SlotBlock(of: slot, length: spacing)
        if crossed { keepSnapshot() }
    }

    /// Drops the snapshots that are no longer needed: all before the newest one at or before `slot`.
    ///
    /// - Returns: whether the base moved.
    mutating func dropSnapshots(before slot: Slot) -> Bool {
        guard slot >= secondSnapshot, let index = snapshotRows.lastIndex(where: { $0.slot.map { $0 <= slot } ?? false })
        else {
            return false
        }
        for snapshot in snapshotRows[..<index] { floats.freeRow(snapshot.row) }
        snapshotRows.removeFirst(index)
        updateSnapshotBounds()
        return true
    }

    /// Makes the head a snapshot.
    private mutating func keepSnapshot() {
        // The model did not respond to this slot, so the state is unchanged, but the new snapshot needs its own row.
        if isHeadSnapshot { detachFromSnapshot() }
        isHeadSnapshot = true
        snapshotRows.append((headSlot, headRow))
        updateSnapshotBounds()
    }

    /// Continues in a copy of the head, so that the snapshot stays unchanged.
    private mutating func detachFromSnapshot() {
        let row = floats.allocateRow()
        _ = floats[row].update(fromContentsOf: floats[headRow])
        (headRow, isHeadSnapshot) = (row, false)
    }

    private mutating func updateSnapshotBounds() {
        baseSlot = snapshotRows[0].slot
        secondSnapshot = snapshotRows.count > 1 ? snapshotRows[1].slot ?? .max : .max
    }
}
