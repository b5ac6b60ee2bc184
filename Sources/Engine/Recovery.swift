import Forecasting
import Storage
import TimeSeries

/// What the database said at the start.
struct RecoveredSeries: ~Copyable {
    /// In the order of their birth.
    var entries = SeriesIndex()
    var setups: [SeriesSetup] = []
    var firstVersions: [String: FirstVersion] = [:]
    var position: JournalPosition = 0
    var newestReading: Timestamp = .distantPast
    /// What a person should know: damaged checkpoints, models that no longer fit.
    var warnings: [String] = []
}

/// Start-up: `state(series) = checkpoint(series) ⊕ replay of its readings since`, for every series.
struct Recovery {
    let store: Store
    let catalog: ModelCatalog
    let configuration: EngineConfiguration
    let kernel: String
    let now: Timestamp

    func run() throws -> RecoveredSeries {
        var recovered = RecoveredSeries()
        let first = try Assigner(store: store, catalog: catalog, now: now).firstVersions(of: configuration)
        recovered.firstVersions = first.versions
        recovered.warnings += first.warnings
        recovered.position = try store.lastPosition()
        recovered.newestReading = try store.newestTimestamp()
        let checkpoints = try store.checkpoints()
        recovered.warnings += checkpoints.damaged.map {
            "a checkpoint of series \($0.series.rawValue) is damaged; its state is rebuilt from the one before"
        }
        var plans = try plan(checkpoints.good, recovered.firstVersions)
        try scan(&plans)
        recovered.warnings += Self.warnings(store.damagedChunks, plans)
        try finish(plans, into: &recovered)
        return recovered
    }

    private static func warnings(_ damaged: Set<DamagedChunk>, _ plans: [SeriesID: Plan]) -> [String] {
        damaged.sorted { ($0.series, $0.start) < ($1.series, $1.start) }.map { chunk in
            let name = plans[chunk.series].map { "\($0.record.key)" } ?? "series \(chunk.series.rawValue)"
            return "a chunk of \(name) is damaged (\(chunk.reason)) and left out; `niloctl doctor` says more"
        }
    }

    /// What to do for one series.
    private struct Plan {
        var record: SeriesRecord
        var forecaster: ForecasterConfiguration?
        var setting: EpochSetting?
        var assignment: Assignment?
        var checkpoint: Checkpoint?
        /// Why the series needs a new epoch, and which version it gets; nil: it goes on.
        var change: (version: LoadedVersion?, cause: Cause)?
        var oldest: Timestamp = .distantPast
        var history: [PositionedReading] = []
        /// Its slots are other ones from now on; ``record`` has them already.
        var grid: ModelChange.Grid?

        /// The epoch is from before settings were stored.
        var isSettingUnknown: Bool { assignment.map { $0.epoch.setting == nil } ?? false }
    }

    private func plan(
        _ checkpoints: [SeriesID: [Checkpoint]], _ firstVersions: [String: FirstVersion]
    ) throws -> [SeriesID: Plan] {
        let epochs = try store.currentEpochs()
        let versions = Dictionary(
            try store.modelVersions(of: nil).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let assigner = Assigner(store: store, catalog: catalog, now: now)
        var plans: [SeriesID: Plan] = [:]
        for var record in try store.series() {
            let grid = ModelChange.Grid(declaredBy: configuration.rule(for: record.key), for: record.cadence)
            if let grid { (record.cadence, record.latenessSlots) = (grid.cadence, grid.latenessSlots) }
            let forecaster = configuration.forecaster(for: record.key)
            let setting = forecaster.map { configuration.setting(of: record.key, $0) }
            var plan = Plan(record: record, forecaster: forecaster, setting: setting, grid: grid)
            let epoch = epochs[record.id]
            let situation = Assigner.Situation(
                epoch: epoch, version: epoch.flatMap { versions[$0.version] }, former: record.forecaster,
                forecaster: forecaster, setting: setting, grid: grid)
            switch assigner.decide(situation, first: firstVersions, versions: versions) {
            case .goOn(let version):
                guard let epoch, let setting = epoch.setting ?? setting else { break }
                plan.assignment = Assignment(
                    epoch: epoch, version: version, setting: setting, calendar: configuration.calendar)
                plan.checkpoint = checkpoints[record.id]?.first { $0.epoch == epoch.id }
                if let found = plan.checkpoint, let reason = obstacle(found, version) {
                    plan.change = (version, Cause(reason, standsFor: epoch.standsFor))
                }
            case .change(let version, let cause):
                if version != nil || record.forecaster != nil { plan.change = (version, cause) }
            }
            plan.oldest = oldestNeeded(plan)
            plans[record.id] = plan
        }
        return plans
    }

    /// Why a state is not gone on from but warmed up anew; nil if it fits.
    private func obstacle(_ checkpoint: Checkpoint, _ version: LoadedVersion) -> String? {
        let (found, expected) = (checkpoint.state.count, version.model.stateCount)
        if checkpoint.kernel != kernel { return "other kernels: \(checkpoint.kernel) before, \(kernel) now" }
        return found == expected ? nil : "states of another layout: \(found) numbers before, \(expected) now"
    }

    private func oldestNeeded(_ plan: Plan) -> Timestamp {
        guard plan.change == nil, let cadence = plan.record.cadence, let assignment = plan.assignment else {
            return .distantPast
        }
        let lags = max(assignment.version.model.lags.last ?? 0, SeriesState.shownSlots)
        if let checkpoint = plan.checkpoint { return cadence.start(of: checkpoint.slot - Int64(lags)) }
        guard let from = assignment.epoch.fromSlot else { return .distantPast }
        return cadence.start(of: from - Int64(assignment.epoch.warmUp + lags))
    }

    private func scan(_ plans: inout [SeriesID: Plan]) throws {
        let history = try store.readings(of: plans.mapValues(\.oldest))
        for (id, readings) in history { plans[id]?.history = readings }
    }

    private func finish(_ plans: [SeriesID: Plan], into recovered: inout RecoveredSeries) throws {
        let end = recovered.position
        var frontiers: [SeriesID: Slot] = [:]
        for (id, plan) in plans.sorted(by: { $0.key < $1.key }) {
            var entry = SeriesEntry(record: plan.record, rule: configuration.rule(for: plan.record.key))
            for item in plan.history { entry.restore(item.reading) }
            frontiers[id] = entry.frontier
            entry.forecaster = plan.forecaster?.name
            if let frontier = plan.checkpoint?.frontier { entry.restore(frontier: frontier) }
            recovered.entries.add(entry)
        }
        let changed = try changeEpochs(plans, frontiers, position: end)
        let outages = Dictionary(grouping: try store.outages(), by: \.series)
        for (id, plan) in plans {
            let assignment = plan.change == nil ? plan.assignment : changed[id]
            if let change = plan.change { recovered.warnings.append("\(plan.record.key): \(change.cause)") }
            recovered.setups.append(
                SeriesSetup(
                    record: plan.record, assignment: assignment,
                    checkpoint: plan.change == nil ? plan.checkpoint : nil,
                    history: KeptReadings(plan.history, lateThrough: assignment?.epoch.position ?? 0),
                    outages: plan.change == nil
                        ? (outages[id] ?? []).filter { $0.epoch == plan.assignment?.epoch.id }.map(\.slots) : []))
        }
    }

    private func changeEpochs(
        _ plans: [SeriesID: Plan], _ frontiers: [SeriesID: Slot], position: JournalPosition
    ) throws -> [SeriesID: Assignment] {
        guard plans.values.contains(where: { $0.change != nil || $0.isSettingUnknown || $0.grid != nil }) else {
            return [:]
        }
        return try store.write { transaction in
            var changed: [SeriesID: Assignment] = [:]
            for (id, plan) in plans {
                if let assignment = plan.assignment, plan.change == nil, plan.isSettingUnknown {
                    try transaction.setSetting(assignment.setting, ofEpoch: assignment.epoch.id)
                }
                if let grid = plan.grid {
                    try transaction.setCadence(grid.cadence, latenessSlots: grid.latenessSlots, of: id)
                }
                guard let change = plan.change else { continue }
                try transaction.setForecaster(plan.forecaster?.name, of: id)
                guard let version = change.version, let setting = plan.setting else { continue }
                try transaction.setAggregate(setting.aggregate, of: id)
                let epoch = NewEpoch(
                    series: id, version: version.version.id, fromSlot: frontiers[id],
                    warmUp: frontiers[id] == nil ? 0 : plan.forecaster?.warmUpSlots ?? 0, position: position,
                    reason: change.cause.reason, standsFor: change.cause.standsFor, setting: setting, createdAt: now)
                changed[id] = Assignment(
                    epoch: try transaction.insertEpoch(epoch), version: version, setting: setting,
                    calendar: configuration.calendar)
                try transaction.pruneEpochs(of: id)
            }
            return changed
        }
    }
}
