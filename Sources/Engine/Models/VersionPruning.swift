import Storage
import TimeSeries

extension Engine {
    /// Removes the weights that nothing can come back to: of versions that serve no series, are no rollback's target, and
    /// are older than the newest `keep_versions` of their forecaster. Rows and metrics stay.
    func pruneVersions() async throws {
        try await perform { writer in
            let limits = writer.configuration.forecasters.map { ($0.name, $0.keepVersions) }
            let unreachable = try writer.store.unreachableVersions(
                keeping: Dictionary(limits, uniquingKeysWith: { first, _ in first }))
            guard !unreachable.isEmpty else { return }
            let now = writer.now
            try writer.store.write { try $0.pruneWeights(of: unreachable, at: now) }
        }
    }
}
