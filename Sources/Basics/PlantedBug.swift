/// A defect that a build of the simulator can switch on, to prove that its worlds find it: each broke a promise once, or
/// would break one.
///
/// In every other build ``isActive`` is the constant false, and the compiler removes what depends on it.
/// docs/guides/simulation.md lists after how many worlds each is found.
package enum PlantedBug: String, CaseIterable, Sendable {
    // Acknowledged readings survive.
    /// The log is synced at checkpoints only.
    case commitWithoutSync
    /// A request whose commit failed is acknowledged.
    case acknowledgedFailure
    /// A seal drops a row of the journal that is not sealed.
    case sealDropsTooMuch
    /// A sealed correction that came late gives way to the value before it.
    case sealedCorrectionLost
    /// A reading that is not finite takes the rest of its request with it.
    case badNeighbour
    /// A clock that is not set refuses readings that have timestamps.
    case unsetClockDenies
    /// A clock that jumps is believed at once.
    case believedJump
    /// Readings expire by a clock that has just jumped, and whatever a replay needs.
    case hastyExpiry
    /// A journal that expires takes a late correction with it, whose earlier value is in a chunk.
    case expiredCorrection
    /// Writes that are not group commits try again after a failed sync.
    case swallowedWriteError
    /// A log that two power failures have torn is taken for a damaged one.
    case tornLogKept
    /// Half of a torn frame's head is taken for a commit.
    case mixedFrameCounts

    // A state is the replay of its readings.
    /// Late readings change the state.
    case lateReadingsCount
    /// A reading before the newest slot does not roll the state back.
    case noRollBack
    /// A state becomes a checkpoint before it is out of reach of late readings.
    case earlyCheckpoint
    /// An equal resend counts again.
    case resendCounts
    /// A slot keeps its state although its value changed before it closed.
    case staleOpenSlot
    /// Readings committed while a change of models was planned are missing from its state.
    case readingsBetweenPlanAndCommit
    /// A failed commit leaves the writer's view of its series changed.
    case failedCommitKeepsChanges
    /// A clean stop forgets outages.
    case outagesLostAtStop
    /// Outages that overlap are not joined.
    case overlappingOutages
    /// Recovery does not know of outages.
    case outagesIgnored
    /// Readings that a replay needs expire.
    case neededReadingsExpire

    // Models and events.
    /// A challenger without a score wins.
    case unscoredWins
    /// A version made for another horizon serves.
    case misfitServes
    /// The weights of a version that serves are removed.
    case servingWeightsRemoved
    /// An anomaly that was told is told again when its slot closes again.
    case anomalyToldAgain
    /// A training that is due stays due.
    case scheduleStorm
    /// A reload that failed half-way through is reported as refused, and is current.
    case halfReload

    #if SIMULATION
        /// The one that is switched on; nil: none.
        ///
        /// `nonisolated(unsafe)`: set before the simulation begins, in its only thread.
        nonisolated(unsafe) package static var active: PlantedBug?

        package var isActive: Bool { Self.active == self }
    #else
        @inlinable package var isActive: Bool { false }
    #endif
}
