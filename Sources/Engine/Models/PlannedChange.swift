import Basics
import Storage
import TimeSeries

/// A change with what it needs from the moment at which it was planned.
struct PlannedChange: Sendable {
    let change: ModelChange
    /// The journal position at which the epochs begin; the histories hold the readings up to it.
    let position: JournalPosition
    /// By series, the first slot of its epoch; absent while the series has no cadence.
    private(set) var frontiers: [SeriesID: Slot] = [:]
    /// By series, the oldest reading time that its epoch needs.
    private var oldest: [SeriesID: Timestamp] = [:]

    init(_ change: ModelChange, of entries: borrowing SeriesIndex, at position: JournalPosition) {
        (self.change, self.position) = (change, position)
        for entry in entries.values {
            guard let part = change.parts[entry.id] else { continue }
            let (cadence, frontier) = entry.slots(on: part.grid)
            frontiers[entry.id] = frontier
            guard let service = part.service else { continue }
            oldest[entry.id] = Self.oldestNeeded(service, from: frontier, cadence)
        }
    }

    private static func oldestNeeded(
        _ service: ModelChange.Service, from frontier: Slot?, _ cadence: Cadence?
    ) -> Timestamp {
        guard let cadence, let frontier else { return .distantPast }
        let lags = max(service.version.model.lags.last ?? 0, SeriesState.chartSlots)
        return cadence.start(of: frontier - Int64(service.warmUp + lags))
    }

    /// Reads the readings that the new epochs are warmed up on.
    ///
    /// Blocks; not to be called on the writer's thread, which continues to commit meanwhile.
    func readHistories(_ store: Store) throws -> [SeriesID: KeptReadings] {
        // Converted at once to the form that the shards keep: otherwise the histories of ten thousand series would be
        // in memory twice.
        var histories: [SeriesID: KeptReadings] = [:]
        try store.eachHistory(of: oldest, through: position) { id, readings in
            histories[id] = KeptReadings(readings, lateThrough: position)
        }
        return histories
    }
}

/// Plans a change; from then on the shards keep what the series' new epochs need.
struct PlanChange: WriterCommand {
    let change: ModelChange

    func run(on writer: Writer) -> PlannedChange {
        let planned = PlannedChange(change, of: writer.entries, at: writer.position)
        writer.shards.tell(about: change.parts.keys) { .prepareEpoch($0) }
        writer.plannedChanges += 1
        return planned
    }
}

/// Cancels a planned change that has failed: the shards continue as before.
struct CancelChange: WriterCommand {
    let planned: PlannedChange

    func run(on writer: Writer) {
        Place.epochCancelled.reached()
        writer.plannedChanges -= 1
        writer.shards.tell(about: planned.change.parts.keys) { .cancelEpoch($0) }
    }
}

/// Commits a planned change and delivers it to the shards.
struct CommitChange: WriterCommand {
    let planned: PlannedChange
    /// The readings that the new epochs are warmed up on.
    let histories: [SeriesID: KeptReadings]

    /// - Returns: the number of series that begin a new epoch; those removed since the plan are left out.
    func run(on writer: Writer) throws -> Int {
        let present = Set(writer.entries.values.map(\.id))
        let parts = planned.change.parts.filter {
            present.contains($0.key) || PlantedBug.forgetMeetsChange.isActive
        }
        // The scores of the ending epochs: the next epochs do not score these slots again.
        let scores = writer.pendingWrites.dequeueScores(of: parts.keys)
        let assignments: [SeriesID: Assignment]
        do {
            assignments = try write(parts, scores, at: writer)
        } catch {
            scores.requeue()
            throw error
        }
        scores.confirm()
        writer.plannedChanges -= 1
        adopt(parts, at: writer)
        deliver(assignments, parts, at: writer)
        return assignments.count
    }

    private func deliver(
        _ assignments: [SeriesID: Assignment], _ parts: [SeriesID: ModelChange.Part], at writer: Writer
    ) {
        writer.shards.tell(about: parts.keys) { ids in
            .load(
                ids.map { id in
                    ShardMessage.Load(
                        series: id, assignment: assignments[id], history: histories[id] ?? KeptReadings(),
                        grid: parts[id]?.grid)
                })
        }
    }

    private func write(
        _ parts: [SeriesID: ModelChange.Part], _ scores: PendingBatch, at writer: Writer
    ) throws -> [SeriesID: Assignment] {
        let (change, now) = (planned.change, writer.now)
        let previous = Dictionary(keepingFirst: writer.entries.values.map { ($0.id, $0.forecaster) })
        return try writer.write { transaction in
            try scores.write(to: transaction)
            for (id, forecaster) in change.adoption?.forecasters ?? [:] {
                try transaction.setForecaster(forecaster, of: id)
            }
            var assignments: [SeriesID: Assignment] = [:]
            for (id, part) in parts {
                if let grid = part.grid {
                    try transaction.setCadence(grid.cadence, latenessSlots: grid.latenessSlots, of: id)
                }
                guard let service = part.service else { continue }
                try transaction.setAggregate(service.setting.aggregate, of: id)
                assignments[id] = try transaction.beginEpoch(
                    of: id, service, from: planned.frontiers[id], at: planned.position, part.cause,
                    calendar: change.calendar, now: now)
                try transaction.pruneEpochs(of: id)
            }
            if let champion = change.champion {
                try transaction.recordChampion(forecaster: champion.forecaster, version: champion.version)
            }
            for event in Self.events(of: parts, previous, at: now) { try transaction.addModelEvent(event) }
            if PlantedBug.changeBeforeCommit.isActive { deliver(assignments, parts, at: writer) }
            return assignments
        }
    }

    /// One event for all series of a forecaster that get the same version for the same reason.
    ///
    /// - Parameter previous: the forecaster of each series before the change.
    private static func events(
        of parts: [SeriesID: ModelChange.Part], _ previous: [SeriesID: String?], at now: Timestamp
    ) -> [ModelEvent] {
        var events: [String: ModelEvent] = [:]
        for (id, part) in parts {
            let version = part.service?.version.version
            guard let forecaster = version?.forecaster ?? previous[id] ?? nil else { continue }
            let number = version?.number
            let key = "\(forecaster)\u{0}\(number ?? 0)\u{0}\(part.cause)"
            events[
                key,
                default: ModelEvent(
                    forecaster: forecaster, at: now, kind: .change, version: number, series: 0, text: "\(part.cause)")
            ].series += 1
        }
        return events.sorted { $0.key < $1.key }.map(\.value)
    }

    private func adopt(_ parts: [SeriesID: ModelChange.Part], at writer: Writer) {
        guard let adoption = planned.change.adoption else { return }
        for entry in writer.entries.values {
            if let forecaster = adoption.forecasters[entry.id] { entry.forecaster = forecaster }
            entry.rule = adoption.configuration.rule(for: entry.key)
            if let grid = parts[entry.id]?.grid { entry.move(to: grid) }
        }
        writer.configuration = adoption.configuration
        writer.firstVersions = adoption.firstVersions
        for shard in writer.shards.all { shard.tell(.setAnomalyRules(adoption.configuration.anomalyRules)) }
    }
}

extension WriteTransaction {
    /// Stores a new epoch of a series; the only way to begin one.
    ///
    /// - Parameters:
    ///   - slot: its first slot; nil for a series without a cadence, whose epoch begins with its first reading.
    ///   - position: the journal position up to which readings belong to the previous epoch.
    func beginEpoch(
        of id: SeriesID, _ service: ModelChange.Service, from slot: Slot?, at position: JournalPosition, _ cause: Cause,
        calendar: LocalCalendar, now: Timestamp
    ) throws -> Assignment {
        let epoch = try insertEpoch(
            NewEpoch(
                series: id, version: service.version.version.id, fromSlot: slot,
                warmUp: slot == nil ? 0 : service.warmUp, position: position, reason: cause.reason,
                fallbackFor: cause.fallbackFor, setting: service.setting, createdAt: now))
        return Assignment(epoch: epoch, version: service.version, setting: service.setting, calendar: calendar)
    }
}
