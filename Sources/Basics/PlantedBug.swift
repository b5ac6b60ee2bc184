#if SIMULATION
    import Glibc
#endif

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
    /// A refused reading takes the rest of its request with it.
    case badNeighbour
    /// A clock that is not set refuses readings that have timestamps.
    case unsetClockDenies
    /// A clock that jumps is believed at once.
    case believedJump
    /// Readings expire by a clock that has just jumped.
    case hastyExpiry
    /// A journal that expires takes a late correction with it, whose earlier value is in a chunk.
    case expiredCorrection
    /// Writes that are not group commits try again after a failed sync.
    case swallowedWriteError
    /// A start goes on with the log that a crash has left, which may be torn and was perhaps never synced.
    case unsyncedLogKept
    /// A damaged log is taken for a torn one, and acknowledged commits that are missing are not noticed.
    case damagedLogTaken
    /// A database that was cut to nothing is taken for a new one.
    case cutDatabaseIsNew
    /// A chunk is read although its checksum is wrong.
    case damagedChunkRead
    /// A restart under a young epoch forgets how many readings a slot holds.
    case fullSlotForgotten
    /// A migration is committed statement by statement.
    case migrationInParts
    /// Silence is counted from the timestamps of the readings.
    case silenceByEventTime
    /// When a series last had readings is stored once an hour only.
    case arrivalsLostAtKill
    /// A time stored by a clock that was ahead keeps the clock unset.
    case storedTimeOutlivesClock

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
    /// A series is stepped between the cadence that a reading determined and that reading.
    case cadenceBeforeItsReading
    /// A setting is not part of the epoch: a restart replays with the configuration of that time.
    case settingsOutsideEpoch
    /// A checkpoint is used although its checksum is wrong.
    case damagedCheckpointUsed
    /// A checkpoint is written over the good one of two, and the damaged one stays.
    case damagedCheckpointKept
    /// A failed commit loses the outages that it had taken along.
    case failedCommitLosesOutages
    /// Values beyond what a float can square count.
    case hugeValueCounts
    /// A seal begins while a change is planned, and drops late readings that its epoch needs.
    case sealDuringChange
    /// A cadence that a reload declares is ignored.
    case declaredCadenceIgnored

    // Models.
    /// Changes of models do not wait for each other.
    case changesOverlap
    /// A reload that failed half-way through is reported as refused, and is current.
    case halfReload
    /// Series are removed while a change of their model is under way.
    case forgetMeetsChange
    /// Shards are told of a change that may still fail.
    case changeBeforeCommit
    /// The result of a training serves series that a reload gave to another forecaster.
    case resultOverrulesReload
    /// A series that no forecaster selects any more is forecast.
    case letGoServes
    /// A series that a reload takes back is not forecast.
    case takenBackUnserved
    /// Epochs are never removed.
    case epochsKept
    /// A challenger without a score wins.
    case unscoredWins
    /// A version made for another horizon serves.
    case misfitServes
    /// The weights of a version that serves are removed.
    case servingWeightsRemoved

    // Forecasts, scores, events and the schedule.
    /// A forecast with absurd numbers is told.
    case unusableForecastTold
    /// A failed commit loses the scores that it had taken along.
    case failedCommitLosesScores
    /// A block of scores is not shown between its end and its writing.
    case finishedBlockUnseen
    /// An anomaly that was told is told again when its slot closes again.
    case anomalyToldAgain
    /// Events that do not fit are dropped without being counted.
    case lossUncounted
    /// The events of a watcher that does not read are all kept.
    case unboundedWatcher
    /// A training that is due stays due.
    case scheduleStorm
    /// A due time that a wrong clock computed is kept.
    case farDueKept
    /// A daily time that the clock skips is due in the past.
    case dailyTimeInGap

    #if SIMULATION
        /// The one that is switched on: by the environment, for a real daemon, or by the simulator; nil: none.
        ///
        /// `nonisolated(unsafe)`: set before the simulation begins, in its only thread.
        nonisolated(unsafe) package static var active: PlantedBug? = getenv("NILOMETER_PLANTED_BUG").flatMap {
            PlantedBug(rawValue: String(cString: $0))
        }

        package var isActive: Bool { Self.active == self }
    #else
        @inlinable package var isActive: Bool { false }
    #endif
}
