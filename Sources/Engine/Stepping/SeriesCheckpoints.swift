import Basics
import Forecasting
import Storage
import TimeSeries

/// What a series has to store: outages and checkpoints.
extension SeriesState {
    mutating func drainUnsavedOutages() -> [Outage] {
        guard outages.hasUnsaved, let runningState else { return [] }
        return outages.drainUnsaved(of: id, epoch: runningState.epoch.id)
    }

    /// Drops the snapshots and readings that no timely reading can affect any more.
    ///
    /// - Returns: a checkpoint of the new base if it is at least twice the lateness after the last one; nil otherwise.
    ///   A replay covers the lateness in any case.
    mutating func advanceBase(kernel: String) -> Checkpoint? {
        guard !isEpochPending, let cadence, let frontier, let runningState else { return nil }
        let lateness = PlantedBug.earlyCheckpoint.isActive ? 1 : Int64(latenessSlots)
        guard runningState.dropSnapshots(before: frontier - lateness),
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
