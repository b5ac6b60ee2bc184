import Basics

/// Changes of the configuration.
extension Engine {
    /// Adopts another configuration: series whose forecaster changed begin a warm epoch with the new one.
    ///
    /// New models are loaded first, which may take as long as their plugins need to start; the writer continues
    /// meanwhile.
    ///
    /// - Returns: the number of series that begin a new epoch, and warnings for the operator.
    public func reload(_ configuration: EngineConfiguration) async throws -> (changed: Int, warnings: [String]) {
        let result = try await changes.adopt(configuration)
        if result.changed > 0 { modelCounters.recordChange(.reload, nil) }
        return result
    }

    /// Whether any model that should serve could not be loaded.
    public var isMissingModels: Bool { catalog.hasFailures }

    /// Retries loading those models and gives their series back to the ones that load.
    ///
    /// This may take as long as their plugins need to start.
    ///
    /// - Returns: the number of series that changed.
    public func retryModels() async throws -> Int {
        let loaded = try await runtime.apart { [catalog] in catalog.retry() }
        // Keeps them loaded until the change; those that no series uses are then released.
        defer { withExtendedLifetime(loaded) {} }
        let changed = loaded.isEmpty ? 0 : try await changes.adopt(nil).changed
        if changed > 0 { modelCounters.recordChange(.fallback, nil) }
        return changed
    }
}
