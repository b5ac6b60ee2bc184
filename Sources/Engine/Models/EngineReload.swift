import Basics

/// What changes the configuration.
extension Engine {
    /// Takes another configuration: series whose forecaster changed start a warm epoch with the new one.
    ///
    /// New models are loaded first, which may take as long as their plugins do; the writer goes on meanwhile.
    ///
    /// - Returns: how many series changed their forecaster, and what a person should know.
    public func reload(_ configuration: EngineConfiguration) async throws -> (changed: Int, warnings: [String]) {
        let result = try await changes.adopt(configuration)
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
        let changed = found.isEmpty ? 0 : try await changes.adopt(nil).changed
        if changed > 0 { modelCounters.changed(.fallback, nil) }
        return changed
    }
}
