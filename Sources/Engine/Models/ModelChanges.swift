import Basics
import Storage
import TimeSeries

/// Runs all changes of models, one at a time: promotion, rollback, reset, fallback and return, another configuration,
/// and the removal of series.
///
/// Changes run in the order of their requests. Each is decided from the current configuration and the current series
/// once all changes before it are in the database and delivered to the shards. Database and shards then change together
/// or not at all. Only the first epoch of a new series is not decided here: it begins with the commit of its first
/// reading.
final class ModelChanges: Sendable {
    private let store: Store
    private let catalog: ModelCatalog
    private let shards: Shards
    private let writer: Writer
    private let runtime: any Runtime
    private let mutex = AsyncMutex()
    /// Awaited once, between the plan of the next change and its commit: tests put there what has to overlap.
    let beforeCommit = Locked<(@Sendable () async -> Void)?>(nil)

    init(store: Store, catalog: ModelCatalog, shards: Shards, writer: Writer, runtime: any Runtime) {
        (self.store, self.catalog, self.shards, self.writer, self.runtime) = (store, catalog, shards, writer, runtime)
    }

    /// Decides and makes a change after all changes requested before it.
    ///
    /// - Returns: the number of series that begin a new epoch.
    func make(_ decide: () async throws -> ModelChange) async throws -> Int {
        try await mutex.withLock { try await execute(try await decide()) }
    }

    /// Gives every series the model that a configuration asks for and makes that configuration current, atomically.
    ///
    /// - Parameters:
    ///   - configuration: nil keeps the current one and brings back models that can be loaded again.
    ///   - obstacles: why the states of some series cannot be continued.
    /// - Returns: the number of series that begin a new epoch, and warnings for the operator.
    func adopt(
        _ configuration: EngineConfiguration?, obstacles: [SeriesID: String] = [:]
    ) async throws -> (changed: Int, warnings: [String]) {
        try await mutex.withLock {
            var target = configuration
            if target == nil { target = try await writer.run(CurrentConfiguration()) }
            guard let target else { return (0, []) }
            let versions = try await writer.run(InsertUntrainedVersions(configuration: target))
            // Loaded here, where it may take long; afterwards the catalog has each of them, or its failure.
            let loaded = try await runtime.apart { [catalog] in versions.compactMap { try? catalog.load($0) } }
            defer { withExtendedLifetime(loaded) {} }
            var (change, warnings) = try await writer.run(
                DecideReassignment(configuration: target, obstacles: obstacles))
            var count = try await execute(change)
            do {
                // Series that were created meanwhile began under the previous configuration.
                (change, _) = try await writer.run(DecideReassignment(configuration: target))
                if !change.parts.isEmpty { count += try await execute(change) }
            } catch {
                if PlantedBug.halfReload.isActive { throw error }
                // The configuration is current all the same.
                warnings.append("series that were created meanwhile stay as they are until the next reload: \(error)")
            }
            return (count, warnings)
        }
    }

    /// Removes series with their readings.
    func forget(_ series: [SeriesID]) async throws {
        if PlantedBug.forgetMeetsChange.isActive { return try await writer.run(ForgetSeries(series: series)) }
        try await mutex.withLock { try await writer.run(ForgetSeries(series: series)) }
    }

    private func execute(_ change: ModelChange) async throws -> Int {
        // The ending epochs must have finished their own warm-up.
        _ = try await shards.askEach(Array(change.parts.keys), areCurrent: true) { _, _ in true }
        let planned = try await writer.run(PlanChange(change: change))
        do {
            // Waits until each shard has handed over the scores of those epochs.
            _ = try await shards.askAll { _ in true }
            let histories = try await runtime.apart { [store] in try planned.readHistories(store) }
            await beforeCommit.withLock { $0.take() }?()
            let count = try await writer.run(CommitChange(planned: planned, histories: histories))
            // What cannot be removed now is removed with the next change.
            try? await writer.run(PruneVersions())
            return count
        } catch {
            try? await writer.run(CancelChange(planned: planned))
            throw error
        }
    }
}
