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
        let count = try await changeModels {
            let id = try await directory.id(of: name)
            guard let found = try await ask(shard(of: id), about: [], { $0.assignment(of: id) }) else {
                throw EngineError.noForecaster(series: name)
            }
            let cause = Cause(isWarm ? "reset, warm" : "reset", fallbackFor: found.epoch.fallbackFor)
            return try await plan([id: found.version], warmUp: isWarm ? nil : 0, cause)
        }
        if count == 0 { _ = try await directory.id(of: name) }
        modelCounters.changed(.reset, "the state of \(name) was reset\(isWarm ? " and warmed up again" : "")")
    }

    /// Makes version `number` serve every series of `forecaster`.
    ///
    /// - Returns: how many series it serves now.
    /// - Throws: ``EngineError/unusableVersion(_:forecaster:reason:)`` if it forecasts other steps or quantiles than the
    ///   configuration asks for.
    public func promote(_ forecaster: String, number: Int) async throws -> Int {
        let count = try await changeModels {
            let ids = try await seriesIDs(of: forecaster)
            let version = try self.version(number, of: forecaster)
            let loaded = try await apart { [catalog] in try catalog.load(version, again: true) }
            return try await plan(
                Dictionary(ids.map { ($0, loaded) }, uniquingKeysWith: { first, _ in first }), warmUp: nil,
                Cause("promoted by hand"), champion: (forecaster, version.id))
        }
        modelCounters.changed(
            .promotion, "forecaster \(forecaster): version \(number) was promoted and serves \(count) series")
        return count
    }

    /// Gives every series of `forecaster` the version it had before its newest one, in one step. Twice is a way there and
    /// back.
    ///
    /// - Returns: how many series went back.
    public func rollBack(_ forecaster: String) async throws -> Int {
        let count = try await changeModels {
            let ids = try await seriesIDs(of: forecaster)
            let former = try await apart { [self] in try versionsBefore(ids, of: forecaster) }
            guard let newest = former.values.map(\.version).max(by: { $0.id < $1.id }) else {
                throw EngineError.nothingToRollBack(forecaster: forecaster)
            }
            return try await plan(former, warmUp: nil, Cause("rolled back"), champion: (forecaster, newest.id))
        }
        modelCounters.changed(.rollback, "forecaster \(forecaster): \(count) series were rolled back")
        return count
    }

    /// The version that each series had before its newest one, loaded; series that only had one are left out.
    private func versionsBefore(_ ids: [SeriesID], of forecaster: String) throws -> [SeriesID: LoadedVersion] {
        let versions = Dictionary(
            try store.modelVersions(of: forecaster).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var former: [SeriesID: LoadedVersion] = [:]
        for id in ids {
            let epochs = try store.epochs(of: id)
            guard let current = epochs.first,
                let before = epochs.first(where: { $0.version != current.version }).flatMap({ versions[$0.version] })
            else { continue }
            former[id] = try catalog.load(before, again: true)
        }
        return former
    }

    /// Gives some series of one forecaster another version, or the same one anew, as the configuration of now says.
    ///
    /// - Parameter warmUp: nil: as configured.
    func plan(
        _ versions: [SeriesID: LoadedVersion], warmUp: Int?, _ cause: Cause,
        champion: (forecaster: String, version: Int64)? = nil
    ) async throws -> ModelChange {
        try await perform { writer in
            let configuration = writer.configuration
            var parts: [SeriesID: ModelChange.Part] = [:]
            for entry in writer.entries.values {
                guard let version = versions[entry.pointee.id],
                    let forecaster = configuration.forecaster(for: entry.pointee.key),
                    forecaster.name == version.version.forecaster
                else { continue }
                guard version.fits(forecaster) else { throw EngineError.misfit(version.version, forecaster.name) }
                let service = ModelChange.Service(
                    version: version, setting: configuration.setting(of: entry.pointee.key, forecaster),
                    warmUp: warmUp ?? forecaster.warmUpSlots)
                parts[entry.pointee.id] = ModelChange.Part(service: service, cause: cause)
            }
            return ModelChange(parts: parts, calendar: configuration.calendar, champion: champion)
        }
    }

    /// Removes the selected series with their readings.
    ///
    /// - Returns: their names.
    public func forget(_ selector: SeriesSelector) async throws -> [String] {
        let matching = directory.matching(selector)
        try await perform { writer in
            try writer.store.write { try $0.deleteSeries(Set(matching.map(\.id))) }
            writer.forget(matching.map(\.id))
        }
        return matching.map(\.key.description)
    }

    /// Lets all that has expired by now be removed at once, where the daemon alone would take a share of it a day.
    ///
    /// - Returns: the time that expiry goes by: the clock's, or that of the newest reading if that is earlier.
    public func expireNow() async throws -> Timestamp { try await perform { $0.expiry.confirm(at: $0) } }

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
        return try await perform { writer in
            writer.entries.values.filter { $0.pointee.forecaster == forecaster }.map { $0.pointee.id }
        }
    }

    func checkForecaster(_ name: String) async throws {
        let known = try await perform { $0.configuration.forecasters.map(\.name) }
        guard known.contains(name) else { throw EngineError.unknownForecaster(name, known: known) }
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
        try await perform { writer in
            // Between two commits: one look at the series, however many forecasters there are.
            let counts = writer.entries.values.reduce(into: [String: Int]()) { counts, entry in
                if let name = entry.pointee.forecaster { counts[name, default: 0] += 1 }
            }
            return writer.configuration.forecasters.map { ($0, counts[$0.name] ?? 0) }
        }
    }

    /// Takes another configuration: series whose forecaster changed start a warm epoch with the new one.
    ///
    /// New models are loaded first, which may take as long as their plugins do; the writer goes on meanwhile.
    ///
    /// - Returns: how many series changed their forecaster, and what a person should know.
    public func reload(_ configuration: EngineConfiguration) async throws -> (changed: Int, warnings: [String]) {
        let result = try await reassign(obstacles: [:]) { _ in configuration }
        if result.changed > 0 { modelCounters.changed(.reload, nil) }
        return result
    }

    /// Whether there are models that should serve and could not be loaded.
    public var isMissingModels: Bool { catalog.hasFailures }

    /// Tries to load them again, which may take as long as their plugins do, and gives their series back to those that
    /// can be.
    ///
    /// - Returns: how many series changed.
    public func retryModels() async throws -> Int {
        let found = try await apart { [catalog] in catalog.retry() }
        // They are let go of when no series has come to need them.
        defer { withExtendedLifetime(found) {} }
        let changed = found.isEmpty ? 0 : try await reassign(obstacles: [:]) { $0.configuration }.changed
        if changed > 0 { modelCounters.changed(.fallback, nil) }
        return changed
    }

    /// Gives every series the model that a configuration says, and makes that the current one, both or neither.
    ///
    /// - Parameter obstacles: why the states of some series cannot be continued.
    func reassign(
        obstacles: [SeriesID: String], _ configuration: @escaping @Sendable (WriterState) -> EngineConfiguration
    ) async throws -> (changed: Int, warnings: [String]) {
        try await turns.perform {
            let wanted = try await perform { configuration($0) }
            let versions = try await perform { writer in
                try Assigner(store: writer.store, catalog: writer.catalog, now: writer.now).untrainedVersions(
                    of: wanted)
            }
            // Loaded here, where it may take long; from now on the catalog has each of them, or knows why not.
            let loaded = try await apart { [catalog] in versions.compactMap { try? catalog.load($0) } }
            defer { withExtendedLifetime(loaded) {} }
            let (change, warnings) = try await perform { writer in
                try Reassignment(writer: writer, obstacles: obstacles).change(to: wanted)
            }
            var count = try await carryOut(change)
            // Series that were born meanwhile began under the configuration before.
            let (rest, _) = try await perform { writer in try Reassignment(writer: writer).change(to: wanted) }
            if !rest.parts.isEmpty { count += try await carryOut(rest) }
            return (count, warnings)
        }
    }

    /// Runs `body`, which may wait for a plugin's process, on a thread that nobody else needs: not the writer's, and
    /// none of the few that all tasks share.
    func apart<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global(qos: .utility).async { continuation.resume(with: Result { try body() }) }
        }
    }
}
