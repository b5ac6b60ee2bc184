import Forecasting
import Storage
import TimeSeries

/// The running state of one series under one epoch: where it stands, and where it can be rolled back to.
///
/// Owned by the series' shard thread. Changed in place: stepping a series writes over arrays that are there already.
final class Track {
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
        var state: [Float]
        var forecast: [Float]
        /// The model gave no answer: the state is the one before, and there is no forecast.
        var isAbsent: Bool

        /// Whether this is still the step of `slot` with `value`; without an answer it is worth another try.
        func isCurrent(_ slot: Slot, _ value: Float) -> Bool {
            self.slot == slot && self.value.bitPattern == value.bitPattern && !isAbsent
        }
    }

    let epoch: Epoch
    let version: LoadedVersion
    /// The earliest slot the state may see.
    let firstSlot: Slot
    /// Ascending; never empty. The first is the base: nothing before it can change any more.
    private(set) var snapshots: [Snapshot]
    /// The state after the newest closed slot.
    private(set) var head: Snapshot
    /// The newest slot with a value that the head has stepped over.
    private(set) var lastValueSlot: Slot?
    private(set) var open: Open?
    /// What the open step before left behind, for the next one to write over.
    private var spare: (state: [Float], forecast: [Float]) = ([], [])

    var model: ServedModel { version.model }

    /// A state at the beginning of `epoch`.
    init(epoch: Epoch, version: LoadedVersion) {
        let start = epoch.fromSlot.map { $0.subtractingReportingOverflow(Int64(epoch.warmUp)) }
        self.epoch = epoch
        self.version = version
        firstSlot = start.map { $0.overflow ? .min : $0.partialValue } ?? .min
        head = Snapshot(slot: nil, state: version.model.initialState)
        snapshots = [head]
    }

    /// The same, going on from `checkpoint`.
    convenience init?(epoch: Epoch, version: LoadedVersion, checkpoint: Checkpoint) {
        guard checkpoint.epoch == epoch.id, checkpoint.state.count == version.model.stateCount else { return nil }
        self.init(epoch: epoch, version: version)
        head = Snapshot(slot: checkpoint.slot, state: checkpoint.state)
        lastValueSlot = checkpoint.slot
        snapshots = [head]
    }

    /// Goes back to the newest state before `slot`.
    func rollBack(before slot: Slot) {
        open = nil
        guard let stepped = head.slot, stepped >= slot else { return }
        while snapshots.count > 1, let newest = snapshots.last?.slot, newest >= slot { snapshots.removeLast() }
        head = snapshots[snapshots.count - 1]
        lastValueSlot = head.slot
    }

    /// The slot to step next, given the next slot that has a reading.
    ///
    /// A gap is stepped through for `maxGap` missing slots from its beginning and then jumped over, so that what was
    /// stepped before a slot never depends on what comes after it.
    func nextSlot(nextValue: Slot, maxGap: Int) -> Slot {
        guard let slot = head.slot, let lastValueSlot, slot - lastValueSlot < Int64(maxGap) else { return nextValue }
        return min(slot + 1, nextValue)
    }

    /// Takes the step of the newest slot with its forecast.
    func open(
        _ slot: Slot, value: Float, state: UnsafeBufferPointer<Float>, forecast: UnsafeBufferPointer<Float>,
        isAbsent: Bool
    ) {
        vacate()
        spare.state.overwrite(with: state)
        spare.forecast.overwrite(with: forecast)
        open = Open(slot: slot, value: value, state: spare.state, forecast: spare.forecast, isAbsent: isAbsent)
        spare = ([], [])
    }

    /// Takes the state after the step of `slot` as the new head.
    func close(_ slot: Slot, value: Float, state: UnsafeBufferPointer<Float>, spacing: Int64) {
        head.state.overwrite(with: state)
        passed(slot, value: value, spacing: spacing)
    }

    /// Takes the open step as the new head.
    func closeOpen(spacing: Int64) {
        guard let closed = open else { return }
        open = nil
        spare = (head.state, closed.forecast)
        head.state = closed.state
        passed(closed.slot, value: closed.value, spacing: spacing)
    }

    private func vacate() {
        guard let open else { return }
        self.open = nil
        spare = (open.state, open.forecast)
    }

    /// Notes that the head has stepped over `slot`.
    func passed(_ slot: Slot, value: Float, spacing: Int64) {
        head.slot = slot
        guard !value.isNaN else { return }
        lastValueSlot = slot
        let crossed = snapshots.last?.slot.map { floorDivide($0, spacing) != floorDivide(slot, spacing) } ?? true
        if crossed { snapshots.append(head) }
    }

    /// Drops the states that nothing will be rolled back to: all before the newest at or before `slot`.
    ///
    /// - Returns: whether the base moved.
    func settle(through slot: Slot) -> Bool {
        guard let place = snapshots.lastIndex(where: { $0.slot.map { $0 <= slot } ?? false }), place > 0 else {
            return false
        }
        snapshots.removeFirst(place)
        return true
    }
}

extension [Float] {
    /// Takes the values of `source`, in the memory that is there if it fits and nobody shares it.
    fileprivate mutating func overwrite(with source: UnsafeBufferPointer<Float>) {
        guard count == source.count else { return self = Array(source) }
        withUnsafeMutableBufferPointer { _ = $0.update(fromContentsOf: source) }
    }
}
