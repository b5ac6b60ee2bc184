import Forecasting
import Storage
import TimeSeries

/// A change of the models that serve some series: promotion, rollback, reset, another configuration.
///
/// All that may fail comes before the commit: models are loaded and histories read up to the position at which the change
/// was planned. Then the database and the shards change together, from one job on the writer's thread, so that no reading
/// and no other change lies between the two. One change follows the other, see ``Engine/changeModels(_:)``.
struct ModelChange: Sendable {
    /// What becomes of one series.
    struct Part: Sendable {
        /// nil: no forecaster any more.
        var service: Service?
        var cause: Cause
        /// nil: as it is.
        var grid: Grid?
    }

    /// The slots of a series, when they are other ones from now on.
    struct Grid: Sendable {
        var cadence: Cadence
        var latenessSlots: Int
        var reason: String

        /// nil if the rule declares no cadence, or the one that the series has; and before it has any.
        init?(declaredBy rule: SeriesRule, for known: Cadence?) {
            guard let cadence = rule.cadence, let known, cadence != known else { return nil }
            self.cadence = cadence
            latenessSlots = rule.latenessSlots(of: cadence)
            reason = "cadence changed from \(Self.text(known)) to \(Self.text(cadence))"
        }

        private static func text(_ cadence: Cadence) -> String { "\(Double(cadence.nanoseconds) / 1e9) s" }
    }

    /// What serves a series from now on.
    struct Service: Sendable {
        var version: LoadedVersion
        var setting: EpochSetting
        /// Slots to replay before the epoch; 0 starts from the initial state.
        var warmUp: Int
    }

    var parts: [SeriesID: Part]
    /// Of the settings' time zone.
    var calendar: LocalCalendar
    /// The forecaster's champion from now on, if this promotes one.
    var champion: (forecaster: String, version: Int64)?
    /// The configuration that becomes the current one with it.
    var adoption: Adoption?

    struct Adoption: Sendable {
        var configuration: EngineConfiguration
        var firstVersions: [String: FirstVersion]
        /// The forecaster of each series whose forecaster is another from now on.
        var forecasters: [SeriesID: String?]
    }
}

/// A change with all that it needs from the time at which it was planned.
struct PlannedChange: Sendable {
    let change: ModelChange
    /// Readings up to here are in the histories; the epochs begin here.
    let position: JournalPosition
    /// By series: where its epoch begins, and the oldest reading it needs.
    private var frontiers: [SeriesID: Slot] = [:]
    private(set) var oldest: [SeriesID: Timestamp] = [:]

    /// Plans on the writer's thread. From now on the shards keep what the series' new epochs need.
    init(_ change: ModelChange, at writer: WriterState) {
        (self.change, position) = (change, writer.position)
        for entry in writer.entries.values {
            guard let part = change.parts[entry.pointee.id] else { continue }
            let (cadence, frontier) = entry.pointee.slots(on: part.grid)
            frontiers[entry.pointee.id] = frontier
            guard let service = part.service else { continue }
            oldest[entry.pointee.id] = Self.oldestNeeded(service, from: frontier, cadence)
        }
        for shard in writer.shards {
            let mine = change.parts.keys.filter { writer.shard(of: $0) === shard }
            if !mine.isEmpty { shard.tell(.hold(Array(mine))) }
        }
    }

    private static func oldestNeeded(
        _ service: ModelChange.Service, from frontier: Slot?, _ cadence: Cadence?
    ) -> Timestamp {
        guard let cadence, let frontier else { return .distantPast }
        let lags = max(service.version.model.lags.last ?? 0, SeriesState.shownSlots)
        return cadence.start(of: frontier - Int64(service.warmUp + lags))
    }

    /// Reads what the new epochs are warmed up on. Blocks; away from the writer, which goes on committing meanwhile.
    func readHistories(_ store: Store) throws -> [SeriesID: KeptReadings] {
        // In the form in which the shards keep them: in another one before, ten thousand would be there twice.
        var histories: [SeriesID: KeptReadings] = [:]
        try store.eachHistory(of: oldest, through: position) { id, readings in
            histories[id] = KeptReadings(readings, lateThrough: position)
        }
        return histories
    }

    /// Commits on the writer's thread, and tells the shards.
    ///
    /// - Returns: how many series have another epoch now; those forgotten since the plan are left out.
    func commit(_ histories: [SeriesID: KeptReadings], at writer: WriterState) throws -> Int {
        let present = Set(writer.entries.values.map { $0.pointee.id })
        let parts = change.parts.filter { present.contains($0.key) }
        // The scores of the epochs that end: the next epochs will not score these slots again.
        let scores = writer.pendingWrites.takeScores(of: parts.keys)
        let assignments: [SeriesID: Assignment]
        do {
            assignments = try write(parts, scores, at: writer)
        } catch {
            scores.putBack()
            throw error
        }
        scores.written()
        adopt(parts, at: writer)
        for shard in writer.shards {
            let mine = parts.keys.filter { writer.shard(of: $0) === shard }
            guard !mine.isEmpty else { continue }
            let loads = mine.map { id in
                ShardMessage.Load(
                    series: id, assignment: assignments[id], history: histories[id] ?? KeptReadings(),
                    grid: parts[id]?.grid)
            }
            shard.tell(.load(loads))
        }
        return assignments.count
    }

    /// Lets the shards go on as before, because the change has failed.
    func cancel(at writer: WriterState) {
        for shard in writer.shards {
            let mine = change.parts.keys.filter { writer.shard(of: $0) === shard }
            if !mine.isEmpty { shard.tell(.release(Array(mine))) }
        }
    }

    private func write(
        _ parts: [SeriesID: ModelChange.Part], _ scores: PendingBatch, at writer: WriterState
    ) throws -> [SeriesID: Assignment] {
        let now = writer.now
        return try writer.store.write { transaction in
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
                let frontier = frontiers[id]
                let epoch = NewEpoch(
                    series: id, version: service.version.version.id, fromSlot: frontier,
                    warmUp: frontier == nil ? 0 : service.warmUp, position: position, reason: part.cause.reason,
                    fallbackFor: part.cause.fallbackFor, setting: service.setting, createdAt: now)
                assignments[id] = Assignment(
                    epoch: try transaction.insertEpoch(epoch), version: service.version, setting: service.setting,
                    calendar: change.calendar)
                try transaction.pruneEpochs(of: id)
            }
            if let champion = change.champion {
                try transaction.recordChampion(forecaster: champion.forecaster, version: champion.version)
            }
            return assignments
        }
    }

    private func adopt(_ parts: [SeriesID: ModelChange.Part], at writer: WriterState) {
        guard let adoption = change.adoption else { return }
        for entry in writer.entries.values {
            if let forecaster = adoption.forecasters[entry.pointee.id] { entry.pointee.forecaster = forecaster }
            entry.pointee.rule = adoption.configuration.rule(for: entry.pointee.key)
            if let grid = parts[entry.pointee.id]?.grid { entry.pointee.move(to: grid) }
        }
        writer.configuration = adoption.configuration
        writer.firstVersions = adoption.firstVersions
        for shard in writer.shards { shard.tell(.watchFor(adoption.configuration.anomalyRules)) }
    }
}

extension Engine {
    /// Decides, prepares and carries out one change of models after the other.
    ///
    /// - Parameter decide: runs once all changes before it are in the database and with the shards.
    /// - Returns: how many series have another epoch now.
    func changeModels(_ decide: () async throws -> ModelChange) async throws -> Int {
        try await turns.perform { try await carryOut(try await decide()) }
    }

    /// Only within a turn.
    func carryOut(_ change: ModelChange) async throws -> Int {
        // The epochs that end must have finished their own warm-up.
        _ = try await askEach(Array(change.parts.keys), areCurrent: true) { _, _ in true }
        let planned = try await perform { writer in PlannedChange(change, at: writer) }
        do {
            // Returns when each shard has passed on the scores of those epochs.
            for shard in shards { try await ask(shard, about: []) { _ in } }
            let histories = try await apart { [store] in try planned.readHistories(store) }
            let count = try await perform { writer in try planned.commit(histories, at: writer) }
            // What is not removed now is removed with the next change.
            try? await pruneVersions()
            return count
        } catch {
            try? await perform { writer in planned.cancel(at: writer) }
            throw error
        }
    }
}
