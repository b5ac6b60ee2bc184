import Forecasting
import Storage
import TimeSeries

// MARK: - Stepping

extension SeriesState {
    /// What the running state has to do next.
    struct Step {
        var slot: Slot
        var value: Float
        /// Whether it is the newest slot, which later readings may still change.
        var isOpen: Bool
        /// Whether it is known to have no answer of the model.
        var isAbsent = false
    }

    /// The next step towards the frontier; nil when there is nothing to do.
    ///
    /// A slot that closes with the value it was last stepped with keeps that state, without another step.
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
            noteScores(before: slot)
            noteSurprise(
                slot, value: value, state: runningState.openState,
                expected: runningState.headExpectation)
            runningState.close(slot, value: value, spacing: snapshotSpacing)
            if !value.isNaN { values.append(value, at: slot) }
        }
    }

    /// Where the step of ``nextStep()`` is made: nil without a running state.
    mutating func begin(_ step: Step) -> ServedRow? {
        guard let runningState else { return nil }
        if step.isOpen {
            let begun = runningState.beginOpen(step.slot)
            return begun.state.map { ServedRow(state: $0, forecast: begun.forecast) }
        }
        // The step writes over them.
        noteScores(before: step.slot)
        return runningState.beginClosed(step.slot).map { ServedRow(state: $0, forecast: nil) }
    }

    /// Takes the result of a step that was begun, which the running state has there.
    mutating func end(_ step: Step, isAbsent: Bool) {
        guard let runningState else { return }
        guard !step.isOpen else { return runningState.open(step.slot, value: step.value, isAbsent: isAbsent) }
        guard !isAbsent else { return passOver(step) }
        noteSurprise(
            step.slot, value: step.value, state: runningState.headState,
            expected: runningState.begunExpectation)
        runningState.passed(step.slot, value: step.value, spacing: snapshotSpacing)
        if !step.value.isNaN { values.append(step.value, at: step.slot) }
    }

    /// Keeps the scores of the block that ends with the head, if the step to `slot` begins another.
    private mutating func noteScores(before slot: Slot) {
        if let scoredBlock, scoredBlock.contains(slot) { return }
        guard let runningState, let cadence, let newest = runningState.headSlot else { return }
        let length = ServedModel.blockLength(of: cadence)
        scoredBlock = SlotBlock(of: slot, length: length)
        guard !SlotBlock(of: newest, length: length).contains(slot), let scores = blockOfHead() else { return }
        // Once more after a late reading.
        finishedBlocks.removeAll { $0.start == scores.start }
        finishedBlocks.append(scores)
    }

    /// The block that the head is in, so far, without what the model warmed up on: it was trained on these very slots.
    func blockOfHead() -> SlotScores? {
        guard let runningState, let cadence, let newest = runningState.headSlot else { return nil }
        return runningState.model.scores(
            of: runningState.head.state, slot: newest, cadence: cadence, from: runningState.firstOwnSlot
        )
    }

    /// The blocks that have ended; none while a change of the model is on its way, because they may belong to the next epoch.
    mutating func takeFinishedBlocks() -> [SlotScores] {
        guard !isHeld, !finishedBlocks.isEmpty else { return [] }
        defer { finishedBlocks = [] }
        return finishedBlocks
    }

    /// Keeps everything from now on, because another epoch may begin with the newest slot.
    ///
    /// - Returns: the block that would end then, with what was scored before that slot.
    mutating func hold() -> SlotScores? {
        isHeld = true
        guard let frontier, var block = blockOfHead() else { return nil }
        block.cut(before: frontier)
        return block.slots > 0 ? block : nil
    }

    /// Takes a closed slot that the model gave no answer for: the state stays as it is.
    mutating func passOver(_ step: Step) {
        outages.add(step.slot)
        noteSurprise(step.slot, value: step.value, state: nil, expected: [])
        runningState?.passed(step.slot, value: step.value, spacing: snapshotSpacing)
        if !step.value.isNaN { values.append(step.value, at: step.slot) }
    }

    mutating func takeUnsavedOutages() -> [Outage] {
        guard outages.hasUnsaved, let runningState else { return [] }
        return outages.takeUnsaved(of: id, epoch: runningState.epoch.id)
    }

    private var snapshotSpacing: Int64 { Int64(max(1, latenessSlots / 4)) }

    /// Drops what no reading in time can change any more.
    ///
    /// - Returns: a checkpoint of the new base, if it is worth one: twice as far from the last as a replay has to go anyway.
    mutating func advanceBase(kernel: String) -> Checkpoint? {
        guard !isHeld, let cadence, let frontier, let runningState else { return nil }
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
