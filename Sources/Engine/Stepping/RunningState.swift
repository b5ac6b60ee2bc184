import Forecasting
import Storage
import TimeSeries

/// The running state of one series under one epoch: where it stands, and where it can be rolled back to.
///
/// Owned by the series' shard thread. Changed in place: stepping a series writes over memory that is there already.
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
        /// The model gave no answer: the state is the one before, and there is no forecast.
        var isAbsent: Bool

        /// Whether this is still the step of `slot` with `value`; without an answer it is worth another try.
        func isCurrent(_ slot: Slot, _ value: Float) -> Bool {
            self.slot == slot && self.value.bitPattern == value.bitPattern && !isAbsent
        }
    }

    let version: LoadedVersion
    /// Of ``version``: comparing it counts no references.
    let modelID: ObjectIdentifier
    /// The earliest slot the state may see.
    let firstSlot: Slot
    /// The first slot of the epoch itself, whose truths it scores; those before it are its warm-up.
    let firstOwnSlot: Slot
    private var floats: RunningStateRows
    /// Where a snapshot's state lies.
    private var snapshotRows: [(slot: Slot?, row: Int)] = []
    /// The slot of the second snapshot, the first that may become the base.
    private var secondSnapshot: Slot = .max
    /// The slots that need no further snapshot.
    private var snapshotBlock: SlotBlock?
    /// The slot of the first snapshot: nothing before it can change any more.
    private(set) var baseSlot: Slot?
    /// The newest closed slot.
    private(set) var headSlot: Slot?
    /// Also the row of the newest snapshot, if ``isHeadSnapshot``.
    private var headRow: Int
    /// Whether the head is kept as a state that can be rolled back to: the next step leaves its row alone.
    private var isHeadSnapshot = false
    /// The newest slot with a value that the head has stepped over.
    private(set) var lastValueSlot: Slot?
    private(set) var open: Open?
    private var openRow: Int
    /// Of ``calendar``: comparing it counts no references.
    let calendarID: ObjectIdentifier
    // These last, because no step looks at them.
    let calendar: LocalCalendar
    let epoch: Epoch

    /// The bytes of it that a step looks at.
    static let steppedSize =
        MemoryLayout<RunningState>.size - MemoryLayout<Epoch>.size - MemoryLayout<LocalCalendar>.size

    var model: ServedModel { version.model }

    /// Goes on from `checkpoint` if it is one of this epoch and model, else from the beginning of the epoch.
    init(_ assignment: Assignment, checkpoint: Checkpoint?) {
        let (epoch, version) = (assignment.epoch, assignment.version)
        let start = epoch.fromSlot.map { $0.subtractingReportingOverflow(Int64(epoch.warmUp)) }
        let known = checkpoint.flatMap {
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
        (headRow, openRow) = (floats.take(), floats.take())
        _ = floats[headRow].update(fromContentsOf: known?.state ?? version.model.initialState)
        (headSlot, lastValueSlot) = (known?.slot, known?.slot)
        keepSnapshot()
    }

    // MARK: What there is

    /// `[stateCount]` after the newest closed slot; valid until the next step.
    var headState: UnsafeBufferPointer<Float> { UnsafeBufferPointer(floats[headRow]) }
    /// `[stateCount]` after the open step, if there is one; valid until the next step.
    var openState: UnsafeBufferPointer<Float> { UnsafeBufferPointer(floats[openRow]) }
    /// Of the open step, `[forecastCount]`; valid until the next step.
    var forecast: UnsafeBufferPointer<Float> { UnsafeBufferPointer(floats.forecast) }

    /// A copy of the state after the newest closed slot.
    var head: Snapshot { Snapshot(slot: headSlot, state: Array(headState)) }
    /// A copy of the newest state of all.
    var newestState: [Float] { Array(open == nil ? headState : openState) }
    /// Copies of the states that it can be rolled back to, ascending; never empty.
    var snapshots: [Snapshot] { snapshotRows.map { Snapshot(slot: $0.slot, state: Array(floats[$0.row])) } }
    /// A copy of the state at ``baseSlot``.
    var baseState: [Float] { Array(floats[snapshotRows[0].row]) }

    /// Asks for what the next step reads and writes.
    func prefetchRows() {
        floats.prefetch(headRow)
        floats.prefetch(openRow)
    }

    // MARK: Stepping

    /// Goes back to the newest state before `slot`.
    mutating func rollBack(before slot: Slot) {
        open = nil
        guard let stepped = headSlot, stepped >= slot else { return }
        if !isHeadSnapshot { floats.giveBack(headRow) }
        while snapshotRows.count > 1, let newest = snapshotRows.last?.slot, newest >= slot {
            floats.giveBack(snapshotRows.removeLast().row)
        }
        let newest = snapshotRows[snapshotRows.count - 1]
        (headRow, isHeadSnapshot) = (newest.row, true)
        (headSlot, lastValueSlot) = (newest.slot, newest.slot)
        noteSnapshots()
        snapshotBlock = nil
    }

    /// The slot to step next, given the next slot that has a reading.
    ///
    /// A gap is stepped through for `maxGap` missing slots from its beginning and then jumped over, so that what was
    /// stepped before a slot never depends on what comes after it.
    func nextSlot(nextValue: Slot, maxGap: Int) -> Slot {
        guard let slot = headSlot, let lastValueSlot, slot - lastValueSlot < Int64(maxGap) else { return nextValue }
        return min(slot + 1, nextValue)
    }

    /// Begins the step of `slot`, the newest, on a copy of the newest closed state. The open step is gone.
    ///
    /// - Returns: where it is made, `[stateCount]`, and where its forecast goes, `[forecastCount]`.
    mutating func beginOpen(_ slot: Slot) -> (
        state: UnsafeMutablePointer<Float>?, forecast: UnsafeMutablePointer<Float>?
    ) {
        open = nil
        _ = floats[openRow].update(fromContentsOf: floats[headRow])
        endWarmUp(with: slot, in: openRow)
        return (floats[openRow].baseAddress, floats.forecast.baseAddress)
    }

    /// Begins the step of `slot`, which closes, on the newest closed state itself, unless that is kept: after a long gap or
    /// in a large batch nearly all steps are of this kind, and most of what one costs is reaching for memory. The open step
    /// is gone, and what the head expected is in the place of its forecast.
    ///
    /// - Returns: where it is made, `[stateCount]`.
    mutating func beginClosed(_ slot: Slot) -> UnsafeMutablePointer<Float>? {
        open = nil
        _ = floats.forecast.update(fromContentsOf: model.expectation(in: headState))
        if isHeadSnapshot { leaveSnapshot() }
        endWarmUp(with: slot, in: headRow)
        return floats[headRow].baseAddress
    }

    private func endWarmUp(with slot: Slot, in row: Int) {
        guard slot >= firstOwnSlot, let headSlot, headSlot < firstOwnSlot, let state = floats[row].baseAddress else {
            return
        }
        model.forgetScores(in: state)
    }

    /// What the head expects of the slot after it, `[quantiles]`.
    var headExpectation: [Float] { Array(model.expectation(in: headState)) }
    /// What it expected of the slot that was begun last as one that closes, `[quantiles]`.
    var begunExpectation: [Float] { Array(forecast.prefix(version.specification.quantiles.count)) }

    /// Takes the step that was begun as that of the newest slot.
    mutating func open(_ slot: Slot, value: Float, isAbsent: Bool) {
        open = Open(slot: slot, value: value, isAbsent: isAbsent)
    }

    /// Takes the open step as that of a slot that has closed, and what it made as the new head.
    mutating func close(_ slot: Slot, value: Float, spacing: Int64) {
        open = nil
        let left = isHeadSnapshot ? floats.take() : headRow
        (headRow, openRow, isHeadSnapshot) = (openRow, left, false)
        passed(slot, value: value, spacing: spacing)
    }

    /// Notes that the head has stepped over `slot`.
    mutating func passed(_ slot: Slot, value: Float, spacing: Int64) {
        headSlot = slot
        guard !value.isNaN else { return }
        lastValueSlot = slot
        if snapshotBlock?.contains(slot) ?? false { return }
        let crossed = snapshotRows.last?.slot.map { !SlotBlock(of: $0, length: spacing).contains(slot) } ?? true
        snapshotBlock = SlotBlock(of: slot, length: spacing)
        if crossed { keepSnapshot() }
    }

    /// Drops the states that nothing will be rolled back to: all before the newest at or before `slot`.
    ///
    /// - Returns: whether the base moved.
    mutating func dropSnapshots(before slot: Slot) -> Bool {
        guard slot >= secondSnapshot, let place = snapshotRows.lastIndex(where: { $0.slot.map { $0 <= slot } ?? false })
        else {
            return false
        }
        for snapshot in snapshotRows[..<place] { floats.giveBack(snapshot.row) }
        snapshotRows.removeFirst(place)
        noteSnapshots()
        return true
    }

    /// Keeps the head as a state that can be rolled back to.
    private mutating func keepSnapshot() {
        // The slot had no answer of the model: the same state once more, which is kept and dropped by itself.
        if isHeadSnapshot { leaveSnapshot() }
        isHeadSnapshot = true
        snapshotRows.append((headSlot, headRow))
        noteSnapshots()
    }

    /// Goes on in a copy of the head, which stays as it is.
    private mutating func leaveSnapshot() {
        let row = floats.take()
        _ = floats[row].update(fromContentsOf: floats[headRow])
        (headRow, isHeadSnapshot) = (row, false)
    }

    private mutating func noteSnapshots() {
        baseSlot = snapshotRows[0].slot
        secondSnapshot = snapshotRows.count > 1 ? snapshotRows[1].slot ?? .max : .max
    }
}
