import Basics
import Forecasting
import Storage
import TimeSeries

/// The content of the database at the start: every series as it was when the daemon stopped.
struct RecoveredSeries: ~Copyable {
    /// In the order of their creation.
    var entries = SeriesIndex()
    var setups: [SeriesSetup] = []
    var position: JournalPosition = 0
    var newestReading: Timestamp = .distantPast
    /// Warnings for the operator: damaged checkpoints and chunks.
    var warnings: [String] = []
    /// Why the states of some series cannot be continued under their current models.
    var obstacles: [SeriesID: String] = [:]
}

/// Hands what was recovered from the thread that read it to the one that starts the engine.
///
/// `@unchecked Sendable`: one thread makes it, and after that one other takes its content.
final class Handover: @unchecked Sendable {
    private var content: RecoveredSeries?

    init(_ content: consuming RecoveredSeries) { self.content = consume content }

    func take() -> RecoveredSeries { content.take() ?? RecoveredSeries() }
}

/// Start-up: `state(series) = checkpoint(series) ⊕ replay of its readings since`, for every series.
///
/// Changes of the configuration are applied afterwards, as in a reload, so that the scores of the ending epochs are
/// kept.
struct Recovery {
    let store: Store
    let catalog: ModelCatalog
    let configuration: EngineConfiguration
    let kernel: String

    func run() throws -> RecoveredSeries {
        var recovered = RecoveredSeries()
        recovered.position = try store.lastPosition()
        recovered.newestReading = try store.newestTimestamp()
        let checkpoints = try store.checkpoints()
        if !checkpoints.damaged.isEmpty { Place.damagedCheckpoint.reached() }
        recovered.warnings += checkpoints.damaged.map {
            "a checkpoint of series \($0.series.rawValue) is damaged; its state is rebuilt from the one before"
        }
        var plans = try plan(checkpoints.good)
        try readHistories(&plans)
        recovered.warnings += Self.warnings(store.damagedChunks, plans)
        recovered.obstacles = plans.compactMapValues(\.obstacle)
        try removeDamaged(checkpoints)
        try storeMissingSettings(plans)
        try assemble(plans, into: &recovered)
        return recovered
    }

    private static func warnings(_ damaged: Set<DamagedChunk>, _ plans: [SeriesID: Plan]) -> [String] {
        damaged.sorted { ($0.series, $0.start) < ($1.series, $1.start) }.map { chunk in
            let name = plans[chunk.series].map { "\($0.record.key)" } ?? "series \(chunk.series.rawValue)"
            return "a chunk of \(name) is damaged (\(chunk.reason)) and left out; `niloctl doctor` says more"
        }
    }

    /// The recovery of one series.
    private struct Plan {
        var record: SeriesRecord
        /// nil: it had no forecaster, or its model cannot be loaded, or its state cannot be continued.
        var assignment: Assignment?
        var checkpoint: Checkpoint?
        /// Why its state cannot be continued although its model was loaded.
        var obstacle: String?
        var oldest: Timestamp = .distantPast
        var history: [PositionedReading] = []

        init(record: SeriesRecord) { self.record = record }

        /// Whether the epoch was stored by a version that did not yet store settings.
        var isSettingUnknown: Bool { assignment.map { $0.epoch.setting == nil } ?? false }
    }

    private func plan(_ checkpoints: [SeriesID: [Checkpoint]]) throws -> [SeriesID: Plan] {
        let epochs = try store.currentEpochs()
        let versions = Dictionary(
            keepingFirst: try store.modelVersions(of: nil).map { ($0.id, $0) })
        var plans: [SeriesID: Plan] = [:]
        for record in try store.series() {
            var plan = Plan(record: record)
            if let epoch = epochs[record.id], let version = versions[epoch.version],
                let assignment = assignment(of: record, epoch, version)
            {
                let checkpoint = checkpoints[record.id]?.first { $0.epoch == epoch.id }
                note(assignment.epoch, checkpoint)
                plan.obstacle = checkpoint.flatMap { obstacle($0, assignment.version) }
                if plan.obstacle == nil { (plan.assignment, plan.checkpoint) = (assignment, checkpoint) }
            }
            if plan.assignment == nil, epochs[record.id] != nil { Place.modelGone.reached() }
            plan.oldest = oldestNeeded(plan)
            plans[record.id] = plan
        }
        return plans
    }

    private func note(_ epoch: Epoch, _ checkpoint: Checkpoint?) {
        if checkpoint != nil { return Place.fromCheckpoint.reached() }
        epoch.warmUp > 0 ? Place.warmUpRedone.reached() : Place.fromEpoch.reached()
    }

    /// What served a series; nil if it is no longer available.
    private func assignment(of record: SeriesRecord, _ epoch: Epoch, _ version: ModelVersion) -> Assignment? {
        let configured = configuration.forecaster(for: record.key)
        guard version.forecaster == record.forecaster,
            let setting = (PlantedBug.settingsOutsideEpoch.isActive ? nil : epoch.setting)
                ?? configured.map({ configuration.setting(of: record.key, $0) }),
            let calendar = configuration.calendar(named: setting.timeZone),
            let loaded = try? catalog.load(version)
        else { return nil }
        return Assignment(epoch: epoch, version: loaded, setting: setting, calendar: calendar)
    }

    private func removeDamaged(_ checkpoints: RecoveredCheckpoints) throws {
        guard !checkpoints.damaged.isEmpty, !PlantedBug.damagedCheckpointKept.isActive else { return }
        do {
            try store.write { try $0.removeDamaged(checkpoints) }
        } catch let error as StorageError where error.isDiskFull {
            // The next start tries again.
        }
    }

    /// Why a state must be warmed up again; nil if it can be continued.
    private func obstacle(_ checkpoint: Checkpoint, _ version: LoadedVersion) -> String? {
        let (found, expected) = (checkpoint.state.count, version.model.stateCount)
        if checkpoint.kernel != kernel { return "other kernels: \(checkpoint.kernel) before, \(kernel) now" }
        return found == expected ? nil : "states of another layout: \(found) numbers before, \(expected) now"
    }

    private func oldestNeeded(_ plan: Plan) -> Timestamp {
        guard let assignment = plan.assignment else { return .distantPast }
        return NeededReadings.oldest(
            assignment.epoch, from: plan.checkpoint?.slot, plan.record.cadence,
            lateness: PlantedBug.fullSlotForgotten.isActive ? 0 : plan.record.latenessSlots, assignment.version.model)
    }

    private func readHistories(_ plans: inout [SeriesID: Plan]) throws {
        let history = try store.readings(of: plans.mapValues(\.oldest))
        for (id, readings) in history { plans[id]?.history = readings }
    }

    private func storeMissingSettings(_ plans: [SeriesID: Plan]) throws {
        let unknown = plans.values.filter(\.isSettingUnknown).compactMap(\.assignment)
        guard !unknown.isEmpty else { return }
        try store.write { transaction in
            for assignment in unknown { try transaction.setSetting(assignment.setting, ofEpoch: assignment.epoch.id) }
        }
    }

    private func assemble(_ plans: [SeriesID: Plan], into recovered: inout RecoveredSeries) throws {
        let outages = Dictionary(grouping: try store.outages(), by: \.series)
        if !outages.isEmpty { Place.outagesReplayed.reached() }
        if plans.isEmpty { Place.newDatabase.reached() }
        for (id, plan) in plans.sorted(by: { $0.key < $1.key }) {
            var entry = SeriesEntry(record: plan.record, rule: configuration.rule(for: plan.record.key))
            for item in plan.history { entry.restore(item.reading) }
            entry.forecaster = plan.record.forecaster
            if let frontier = plan.checkpoint?.frontier { entry.restore(frontier: frontier) }
            recovered.entries.add(entry)
            let epoch = plan.assignment?.epoch
            recovered.setups.append(
                SeriesSetup(
                    record: plan.record, assignment: plan.assignment, checkpoint: plan.checkpoint,
                    history: KeptReadings(plan.history, lateThrough: epoch?.position ?? 0),
                    outages: PlantedBug.outagesIgnored.isActive
                        ? [] : (outages[id] ?? []).filter { $0.epoch == epoch?.id }.map(\.slots)))
        }
    }
}
