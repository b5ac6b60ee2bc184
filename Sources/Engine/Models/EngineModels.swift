import Basics
import Forecasting
public import Storage
import TimeSeries

/// Changes of models, and queries about them.
extension Engine {
    /// Resets the state of a series.
    ///
    /// - Parameter isWarm: true replays the newest readings, including late ones; false starts from the initial state.
    public func reset(_ name: String, isWarm: Bool) async throws {
        let count = try await changes.make {
            let id = try await directory.id(of: name)
            guard let current = try await shards.ask(about: id, { $0.assignment(of: id) }) else {
                throw EngineError.noForecaster(series: name)
            }
            let cause = Cause(isWarm ? "reset, warm" : "reset", fallbackFor: current.epoch.fallbackFor)
            return try await writer.run(
                DecideVersions(versions: [id: current.version], warmUp: isWarm ? nil : 0, cause: cause))
        }
        if count == 0 { _ = try await directory.id(of: name) }
        modelCounters.recordChange(.reset, "the state of \(name) was reset\(isWarm ? " and warmed up again" : "")")
    }

    /// Makes version `number` serve every series of `forecaster`.
    ///
    /// - Returns: the number of series that it serves now.
    /// - Throws: ``EngineError/unusableVersion(_:forecaster:reason:)`` if its horizon or quantiles differ from the
    ///   configuration's.
    public func promote(_ forecaster: String, number: Int) async throws -> Int {
        let count = try await makeRequested("the promotion of version \(number)", of: forecaster) {
            let ids = try await seriesIDs(of: forecaster)
            let version = try self.version(number, of: forecaster)
            let loaded = try await runtime.apart { [catalog] in try catalog.load(version, isRetry: true) }
            return try await writer.run(
                DecideVersions(
                    versions: Dictionary(keepingFirst: ids.map { ($0, loaded) }), cause: Cause("promoted by hand"),
                    champion: (forecaster, version.id)))
        }
        modelCounters.recordChange(
            .promotion, "forecaster \(forecaster): version \(number) was promoted and serves \(count) series")
        return count
    }

    /// Gives every series of `forecaster` the version before its current one, in one step.
    ///
    /// Calling it twice restores the current versions.
    ///
    /// - Returns: the number of series that were rolled back.
    public func rollBack(_ forecaster: String) async throws -> Int {
        let count = try await makeRequested("a rollback", of: forecaster) {
            let ids = try await seriesIDs(of: forecaster)
            let previous = try await runtime.apart { [self] in try versionsBefore(ids, of: forecaster) }
            guard let newest = previous.values.map(\.version).max(by: { $0.id < $1.id }) else {
                throw EngineError.nothingToRollBack(forecaster: forecaster)
            }
            return try await writer.run(
                DecideVersions(
                    versions: previous, cause: Cause("rolled back"), champion: (forecaster, newest.id)))
        }
        modelCounters.recordChange(.rollback, "forecaster \(forecaster): \(count) series were rolled back")
        return count
    }

    /// Makes a change that somebody asked for; if it cannot be made, that is logged, counted and noted, too.
    private func makeRequested(
        _ what: String, of forecaster: String, _ decide: () async throws -> ModelChange
    ) async throws -> Int {
        do {
            return try await changes.make(decide)
        } catch let error as EngineError where error != .stopping {
            modelCounters.recordRefusal("forecaster \(forecaster): \(what) was refused: \(error)")
            if (try? await checkForecaster(forecaster)) != nil {
                let event = ModelEvent(
                    forecaster: forecaster, at: clock.now, kind: .refusal, version: nil, series: 0,
                    text: "\(what): \(error)")
                try? await writer.run(AddModelEvent(event: event))
            }
            throw error
        }
    }

    /// The version that each series had before its current one, loaded; series with only one are left out.
    private func versionsBefore(_ ids: [SeriesID], of forecaster: String) throws -> [SeriesID: LoadedVersion] {
        let versions = Dictionary(keepingFirst: try store.modelVersions(of: forecaster).map { ($0.id, $0) })
        var previous: [SeriesID: LoadedVersion] = [:]
        for id in ids {
            let epochs = try store.epochs(of: id)
            guard let current = epochs.first,
                let before = epochs.first(where: { $0.version != current.version }).flatMap({ versions[$0.version] })
            else { continue }
            previous[id] = try catalog.load(before, isRetry: true)
        }
        return previous
    }

    /// For tests: awaits `body` between the plan of the next change and its commit.
    package func beforeNextChange(_ body: @escaping @Sendable () async -> Void) {
        changes.beforeCommit.withLock { $0 = body }
    }

    /// The versions of a forecaster, oldest first, and the number of series that each serves.
    public func models(of forecaster: String) async throws -> [(version: ModelVersion, serves: Int)] {
        try await checkForecaster(forecaster)
        let serves = try store.currentEpochs().values.reduce(into: [:]) { $0[$1.version, default: 0] += 1 }
        return try store.modelVersions(of: forecaster).map { ($0, serves[$0.id] ?? 0) }
    }

    /// The history of a forecaster's models: the newest training runs and changes, oldest first.
    public func modelEvents(of forecaster: String, limit: Int) async throws -> [ModelEvent] {
        try await checkForecaster(forecaster)
        return try store.modelEvents(of: forecaster, limit: limit)
    }

    /// The ID of a forecaster's champion: the version that was promoted last.
    public func champion(of forecaster: String) throws -> Int64? { try store.champions()[forecaster] }

    func version(_ number: Int, of forecaster: String) throws -> ModelVersion {
        let versions = try store.modelVersions(of: forecaster)
        guard let version = versions.first(where: { $0.number == number }) else {
            throw EngineError.unknownVersion(number, forecaster: forecaster, known: versions.map(\.number))
        }
        return version
    }

    /// The configuration of a forecaster.
    func forecaster(_ name: String) async throws -> ForecasterConfiguration {
        let known = try await writer.run(CurrentConfiguration()).forecasters
        guard let match = known.first(where: { $0.name == name }) else {
            throw EngineError.unknownForecaster(name, known: known.map(\.name))
        }
        return match
    }

    func seriesIDs(of forecaster: String) async throws -> [SeriesID] {
        try await checkForecaster(forecaster)
        return try await writer.run(SeriesOfForecaster(name: forecaster))
    }

    func checkForecaster(_ name: String) async throws {
        _ = try await forecaster(name)
    }

    /// The forecasters of the configuration and the number of series that each has.
    public func forecasters() async throws -> [(configuration: ForecasterConfiguration, seriesCount: Int)] {
        let counts = try await writer.run(CountSeries())
        return try await writer.run(CurrentConfiguration()).forecasters.map { ($0, counts[$0.name] ?? 0) }
    }
}
