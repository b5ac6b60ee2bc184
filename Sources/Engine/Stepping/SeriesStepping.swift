import Forecasting
import Storage
import TimeSeries

// MARK: - Stepping

extension SeriesState {
    /// A step of the running state.
    struct Step {
        var slot: Slot
        var value: Float
        /// Whether it is the newest slot, which later readings may still change.
        var isOpen: Bool
        /// Whether it is recorded as an outage, a slot without an answer of the model.
        var isAbsent = false
    }

    /// The next step towards the frontier; nil if there is none.
    ///
    /// A slot that closes with the value that it was last stepped with keeps that state without another step.
    mutating func nextStep() -> Step? {
        guard let cadence, let frontier, let runningState else { return nil }
        while true {
            let from = runningState.headSlot.map { $0 + 1 } ?? runningState.firstSlot
            guard let next = firstReading(from: from, cadence: cadence) else { return nil }
            let slot = runningState.nextSlot(nextValue: next.slot, maxGap: maxGap)
            let value = slot == next.slot ? value(of: next, cadence: cadence) : .nan
            let isCurrent = runningState.open.map { $0.isCurrent(slot, value) } ?? false
            if slot >= frontier { return isCurrent ? nil : Step(slot: slot, value: value, isOpen: true) }
            guard isCurrent else {
                return Step(slot: slot, value: value, isOpen: false, isAbsent: outages.contains(slot))
            }
            recordScores(before: slot)
            detectAnomaly(
                slot, value: value, state: runningState.openState,
                expected: runningState.headExpectation)
            runningState.close(slot, value: value, spacing: snapshotSpacing)
            if !value.isNaN { values.append(value, at: slot) }
        }
    }

    /// Begins a step of ``nextStep()`` and returns its buffers; nil without a running state.
    mutating func begin(_ step: Step) -> ServedRow? {
        guard let runningState else { return nil }
        if step.isOpen {
            let begun = runningState.beginOpen(step.slot)
            return begun.state.map { ServedRow(state: $0, forecast: begun.forecast) }
        }
        // The step overwrites them.
        recordScores(before: step.slot)
        return runningState.beginClosed(step.slot).map { ServedRow(state: $0, forecast: nil) }
    }

    /// Completes a begun step, whose result is in the running state's buffers.
    mutating func end(_ step: Step, isAbsent: Bool) {
        guard let runningState else { return }
        guard !step.isOpen else { return runningState.open(step.slot, value: step.value, isAbsent: isAbsent) }
        guard !isAbsent else { return skip(step) }
        detectAnomaly(
            step.slot, value: step.value, state: runningState.headState,
            expected: runningState.closingExpectation)
        runningState.advanceHead(to: step.slot, value: step.value, spacing: snapshotSpacing)
        if !step.value.isNaN { values.append(step.value, at: step.slot) }
    }

    /// Stores the scores of the block that ends with the head if the step to `slot` begins another.
    private mutating func recordScores(before slot: Slot) {
        if let scoredBlock, scoredBlock.contains(slot) { return }
        guard let runningState, let cadence, let newest = runningState.headSlot else { return }
        let length = ServedModel.blockLength(of: cadence)
        scoredBlock = SlotBlock(of: slot, length: length)
        guard !SlotBlock(of: newest, length: length).contains(slot), let scores = blockOfHead() else { return }
        // A late reading may finish a block again.
        finishedBlocks.removeAll { $0.start == scores.start }
        finishedBlocks.append(scores)
    }

    /// The scores of the head's block so far, without the warm-up, whose slots the model was trained on.
    func blockOfHead() -> SlotScores? {
        guard let runningState, let cadence, let newest = runningState.headSlot else { return nil }
        return runningState.model.scores(
            of: runningState.head.state, slot: newest, cadence: cadence, from: runningState.firstOwnSlot
        )
    }

    /// Removes and returns the finished blocks; none while a change of the model is pending, because they may belong to
    /// the next epoch.
    mutating func drainFinishedBlocks() -> [SlotScores] {
        guard !isEpochPending, !finishedBlocks.isEmpty else { return [] }
        defer { finishedBlocks = [] }
        return finishedBlocks
    }

    /// Stops all pruning, because another epoch may begin with the newest slot.
    ///
    /// - Returns: the block that would end with it, limited to the slots before the newest; nil if there are none.
    mutating func prepareEpoch() -> SlotScores? {
        isEpochPending = true
        guard let frontier, var block = blockOfHead() else { return nil }
        block.cut(before: frontier)
        return block.slots > 0 ? block : nil
    }

    /// Steps over a closed slot for which the model did not respond: the state stays unchanged.
    mutating func skip(_ step: Step) {
        outages.add(step.slot)
        detectAnomaly(step.slot, value: step.value, state: nil, expected: [])
        runningState?.advanceHead(to: step.slot, value: step.value, spacing: snapshotSpacing)
        if !step.value.isNaN { values.append(step.value, at: step.slot) }
    }

    mutating func drainUnsavedOutages() -> [Outage] {
        guard outages.hasUnsaved, let runningState else { return [] }
        return outages.drainUnsaved(of: id, epoch: runningState.epoch.id)
    }

    private var snapshotSpacing: Int64 { Int64(max(1, latenessSlots / 4)) }

    /// Drops the snapshots and readings that no timely reading can affect any more.
    ///
    /// - Returns: a checkpoint of the new base if it is at least twice the lateness after the last one; nil otherwise.
    ///   A replay covers the lateness in any case.
    mutating func advanceBase(kernel: String) -> Checkpoint? {
        guard !isEpochPending, let cadence, let frontier, let runningState else { return nil }
        guard runningState.dropSnapshots(before: frontier - Int64(latenessSlots)),
            let slot = runningState.baseSlot
        else {
            return nil
        }
        prune(through: slot, cadence: cadence)
        if let checkpointSlot, slot - checkpointSlot < 2 * Int64(latenessSlots) { return nil }
        checkpointSlot = slot
        return Checkpoint(
            series: id, epoch: runningState.epoch.id, slot: slot, position: absorbed, frontier: frontier,
            kernel: kernel,
            state: runningState.baseState)
    }
}
