/// A branch that simulations have to take sometimes: of recovery, of sealing, of what happens to a damaged or full disk.
///
/// In every build but the simulator's, ``reached()`` does nothing.
package enum Place: String, CaseIterable, Sendable {
    case newDatabase = "recovery: a new database"
    case fromCheckpoint = "recovery: from a checkpoint"
    case damagedCheckpoint = "recovery: a damaged checkpoint"
    case fromEpoch = "recovery: from the beginning of an epoch"
    case warmUpRedone = "recovery: a warm-up redone"
    case outagesReplayed = "recovery: outages replayed"
    case modelGone = "recovery: a model that is gone"
    case tornLog = "recovery: a torn log"
    case sealBegun = "seal: begun"
    case chunkExtended = "seal: a chunk extended"
    case chunkSplit = "seal: readings cut into several chunks"
    case chunkLeft = "seal: a large chunk left as it is"
    case correctionChosen = "seal: several readings of one time"
    case journalDropped = "seal: a part of the journal dropped"
    case sealFailed = "seal: stopped by a read error"
    case journalExpired = "expiry: a part of the journal"
    case journalBlocked = "expiry: a journal that has to be sealed first"
    case chunksExpired = "expiry: chunks"
    case epochCancelled = "change: cancelled"
    case rolledBack = "step: rolled back by an older reading"
    case gapSkipped = "step: the rest of a long gap skipped"

    #if SIMULATION
        /// `nonisolated(unsafe)`: used only by the thread that runs the simulation.
        nonisolated(unsafe) package static var reach: ((Place) -> Void)?

        package func reached() { Self.reach?(self) }
    #else
        @inlinable package func reached() {}
    #endif
}
