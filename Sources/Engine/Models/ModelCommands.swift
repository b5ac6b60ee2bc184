import Basics
import Storage
import TimeSeries

/// Gives some series of one forecaster another version, or the same one anew, as the current configuration says.
struct DecideVersions: WriterCommand {
    let versions: [SeriesID: LoadedVersion]
    /// Slots to replay before the epoch; nil: as configured.
    var warmUp: Int?
    let cause: Cause
    /// The forecaster's champion from then on.
    var champion: (forecaster: String, version: Int64)?

    /// - Throws: ``EngineError/unusableVersion(_:forecaster:reason:)`` if a version forecasts other steps or quantiles than
    ///   the configuration asks for.
    func run(on writer: Writer) throws -> ModelChange {
        let configuration = writer.configuration
        var parts: [SeriesID: ModelChange.Part] = [:]
        for entry in writer.entries.values {
            guard let version = versions[entry.id], let forecaster = configuration.forecaster(for: entry.key),
                forecaster.name == version.version.forecaster
            else { continue }
            guard version.fits(forecaster) else { throw EngineError.misfit(version.version, forecaster.name) }
            let service = ModelChange.Service(
                version: version, setting: configuration.setting(of: entry.key, forecaster),
                warmUp: warmUp ?? forecaster.warmUpSlots)
            parts[entry.id] = ModelChange.Part(service: service, cause: cause)
        }
        return ModelChange(parts: parts, calendar: configuration.calendar, champion: champion)
    }
}

/// The version rows of a configuration's methods without training, made where they are missing.
struct InsertUntrainedVersions: WriterCommand {
    let configuration: EngineConfiguration

    func run(on writer: Writer) throws -> [ModelVersion] {
        try Assigner(store: writer.store, catalog: writer.catalog, now: writer.now)
            .untrainedVersions(of: configuration)
    }
}

/// Stores a trained version.
struct InsertVersion: WriterCommand {
    let version: NewModelVersion

    func run(on writer: Writer) throws -> ModelVersion {
        try writer.store.write { try $0.insertModelVersion(version) }
    }
}

/// Removes the weights that nothing can come back to: of versions that serve no series, are no rollback's target, and are
/// older than the newest `keep_versions` of their forecaster. Rows and metrics stay.
struct PruneVersions: WriterCommand {
    func run(on writer: Writer) throws {
        let limits = writer.configuration.forecasters.map { ($0.name, $0.keepVersions) }
        let unreachable = try writer.store.unreachableVersions(keeping: Dictionary(keepingFirst: limits))
        guard !unreachable.isEmpty else { return }
        let now = writer.now
        try writer.store.write { try $0.pruneWeights(of: unreachable, at: now) }
    }
}

/// The configuration that serves.
struct CurrentConfiguration: WriterCommand {
    func run(on writer: Writer) -> EngineConfiguration { writer.configuration }
}
