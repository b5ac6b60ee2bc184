import Dispatch
import Forecasting
public import Storage
public import TimeSeries

/// What changes models and series.
extension Engine {
    /// Forgets what the state of a series has absorbed.
    ///
    /// - Parameter isWarm: true replays the newest readings, late ones included; false starts from the initial state.
    public func reset(_ name: String, isWarm: Bool) async throws {
        let id = try await directory.id(of: name)
        let found = try await ask(shard(of: id), about: [id]) { $0.assignment(of: id) }
        guard let found else { throw EngineError.noForecaster(series: name) }
        _ = try await change(
            [id: found.version], warmUp: isWarm ? nil : 0,
            Cause(isWarm ? "reset, warm" : "reset", standsFor: found.epoch.standsFor), champion: nil)
    }

    /// Makes version `number` serve every series of `forecaster`.
    ///
    /// - Returns: how many series it serves now.
    public func promote(_ forecaster: String, number: Int) async throws -> Int {
        let ids = try await seriesIDs(of: forecaster)
        let version = try self.version(number, of: forecaster)
        let loaded = try await apart { [catalog] in try catalog.load(version, again: true) }
        return try await change(
            Dictionary(ids.map { ($0, loaded) }, uniquingKeysWith: { first, _ in first }), warmUp: nil,
            Cause("promoted by hand"), champion: (forecaster, version.id))
    }

    /// Gives every series of `forecaster` the version it had before its newest one, in one step.
    ///
    /// - Returns: how many series went back.
    public func rollBack(_ forecaster: String) async throws -> Int {
        let ids = try await seriesIDs(of: forecaster)
        let versions = Dictionary(
            try store.modelVersions(of: forecaster).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var former: [SeriesID: LoadedVersion] = [:]
        for id in ids {
            let epochs = try store.epochs(of: id)
            guard let current = epochs.first,
                let before = epochs.first(where: { $0.version != current.version }).flatMap({ versions[$0.version] })
            else { continue }
            former[id] = try await apart { [catalog] in try catalog.load(before, again: true) }
        }
        guard let newest = former.values.map(\.version).max(by: { $0.id < $1.id }) else {
            throw EngineError.nothingToRollBack(forecaster: forecaster)
        }
        return try await change(former, warmUp: nil, Cause("rolled back"), champion: (forecaster, newest.id))
    }

    /// Removes the selected series with their readings.
    ///
    /// - Returns: their names.
    public func forget(_ selector: SeriesSelector) async throws -> [String] {
        let matching = directory.matching(selector)
        try await perform { desk in
            try desk.store.write { try $0.deleteSeries(Set(matching.map(\.id))) }
            desk.forget(matching.map(\.id))
        }
        return matching.map(\.key.description)
    }

    /// The versions of a forecaster, oldest first, and how many series each serves.
    public func models(of forecaster: String) async throws -> [(version: ModelVersion, serves: Int)] {
        try await checkForecaster(forecaster)
        let serves = try store.currentEpochs().values.reduce(into: [:]) { $0[$1.version, default: 0] += 1 }
        return try store.modelVersions(of: forecaster).map { ($0, serves[$0.id] ?? 0) }
    }

    /// The champion of a forecaster: the version that was promoted last.
    public func champion(of forecaster: String) throws -> Int64? { try store.champions()[forecaster] }

    func version(_ number: Int, of forecaster: String) throws -> ModelVersion {
        let versions = try store.modelVersions(of: forecaster)
        guard let version = versions.first(where: { $0.number == number }) else {
            throw EngineError.unknownVersion(number, forecaster: forecaster, known: versions.map(\.number))
        }
        return version
    }

    func seriesIDs(of forecaster: String) async throws -> [SeriesID] {
        try await checkForecaster(forecaster)
        return try await perform { desk in
            desk.entries.values.filter { $0.pointee.forecaster == forecaster }.map { $0.pointee.id }
        }
    }

    func checkForecaster(_ name: String) async throws {
        let known = try await perform { $0.configuration.forecasters.map(\.name) }
        guard known.contains(name) else { throw EngineError.unknownForecaster(name, known: known) }
    }

    /// - Parameter warmUp: nil: as configured.
    func change(
        _ versions: [SeriesID: LoadedVersion], warmUp: Int?, _ cause: Cause,
        champion: (forecaster: String, version: Int64)?
    ) async throws -> Int {
        let forecaster = versions.values.first?.version.forecaster ?? ""
        return try await withCheckedThrowingContinuation { continuation in
            Task { [writer] in
                let job = WriterJob.perform { desk in
                    let slots = desk.configuration.forecasters.first { $0.name == forecaster }?.warmUpSlots ?? 0
                    EpochChange(
                        versions: versions, warmUp: warmUp ?? slots, cause: cause, champion: champion
                    ).commit(at: desk) { continuation.resume(with: $0) }
                }
                if await !writer.mailbox.send(job) { continuation.resume(throwing: EngineError.stopping) }
            }
        }
    }

    /// The kept readings of the selected series between two instants: by series, ascending in time.
    public func export(_ selector: SeriesSelector, in range: ClosedRange<Timestamp>) throws -> Export {
        let selected = directory.matching(selector)
        let oldest = Dictionary(
            selected.map { ($0.id, range.lowerBound) }, uniquingKeysWith: { first, _ in first })
        return Export(store: store, series: selected[...], range: range, tail: try store.journalTail(of: oldest))
    }

    /// The forecasters of the configuration and how many series each has.
    public func forecasters() async throws -> [(configuration: ForecasterConfiguration, seriesCount: Int)] {
        try await perform { desk in
            // Between two commits: one look at the series, however many forecasters there are.
            let counts = desk.entries.values.reduce(into: [String: Int]()) { counts, entry in
                if let name = entry.pointee.forecaster { counts[name, default: 0] += 1 }
            }
            return desk.configuration.forecasters.map { ($0, counts[$0.name] ?? 0) }
        }
    }

    /// Takes another configuration: series whose forecaster changed start a warm epoch with the new one.
    ///
    /// New models are loaded first, which may take as long as their plugins do; the writer goes on meanwhile.
    ///
    /// - Returns: how many series changed their forecaster, and what a person should know.
    public func reload(_ configuration: EngineConfiguration) async throws -> (changed: Int, warnings: [String]) {
        let versions = try await perform { desk in
            try Assigner(store: desk.store, catalog: desk.catalog, now: desk.now).untrainedVersions(of: configuration)
        }
        // From now on the catalog has each of them, or knows why not.
        try await apart { [catalog] in for version in versions { _ = try? catalog.load(version) } }
        return try await reassign { _ in configuration }
    }

    /// Whether there are models that should serve and could not be loaded.
    public var isMissingModels: Bool { catalog.hasFailures }

    /// Tries to load them again, which may take as long as their plugins do, and gives their series back to those that
    /// can be.
    ///
    /// - Returns: how many series changed.
    public func retryModels() async throws -> Int {
        let found = try await apart { [catalog] in catalog.retry() }
        return found ? try await reassign { $0.configuration }.changed : 0
    }

    private func reassign(
        _ configuration: @escaping @Sendable (WriterDesk) -> EngineConfiguration
    ) async throws -> (changed: Int, warnings: [String]) {
        let (handovers, warnings) = try await perform { desk in try desk.adopt(configuration(desk)) }
        var count = 0
        for (handover, versions) in handovers {
            count += try await change(versions, warmUp: nil, handover.cause, champion: nil)
        }
        return (count, warnings)
    }

    /// Runs `body`, which may wait for a plugin's process, on a thread that nobody else needs: not the writer's, and
    /// none of the few that all tasks share.
    func apart<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global(qos: .utility).async { continuation.resume(with: Result { try body() }) }
        }
    }
}

extension WriterDesk {
    /// Series of one forecaster whose model has to change for one reason.
    struct Handover: Hashable, Sendable {
        var forecaster: String
        var cause: Cause
    }

    /// Makes `configuration` the current one. Its models have been loaded, or could not be.
    ///
    /// - Returns: the series whose model has to change, to which, and what a person should know.
    func adopt(
        _ configuration: EngineConfiguration
    ) throws -> (handovers: [Handover: [SeriesID: LoadedVersion]], warnings: [String]) {
        let assigner = Assigner(store: store, catalog: catalog, now: now)
        let (first, warnings) = try assigner.firstVersions(of: configuration)
        let epochs = try store.currentEpochs()
        let versions = Dictionary(
            try store.modelVersions(of: nil).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var changed: [Handover: [SeriesID: LoadedVersion]] = [:]
        var renamed: [(entry: EntryPointer, forecaster: String?)] = []
        for entry in entries.values {
            let forecaster = configuration.forecaster(for: entry.pointee.key)
            if entry.pointee.forecaster != forecaster?.name { renamed.append((entry, forecaster?.name)) }
            let current = epochs[entry.pointee.id].flatMap { epoch in
                versions[epoch.version].map { (version: $0, standsFor: epoch.standsFor) }
            }
            if case .change(let version?, let cause) = assigner.decide(
                current, for: forecaster, first: first, versions: versions)
            {
                let handover = Handover(forecaster: version.version.forecaster, cause: cause)
                changed[handover, default: [:]][entry.pointee.id] = version
            }
        }
        try store.write { transaction in
            for change in renamed {
                try transaction.setForecaster(change.forecaster, of: change.entry.pointee.id)
            }
        }
        for change in renamed { change.entry.pointee.forecaster = change.forecaster }
        self.configuration = configuration
        for shard in shards { shard.tell(.watchFor(configuration.anomalyRules)) }
        firstVersions = first
        return (changed, warnings)
    }
}
