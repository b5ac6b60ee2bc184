import Forecasting
import Storage
import TimeSeries

/// The scores of a series' closed slots, in blocks.
extension SeriesState {
    /// Stores the scores of the block that ends with the head if the step to `slot` begins another.
    mutating func recordScores(before slot: Slot) {
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
}
