import Basics
import Storage
import TimeSeries

/// Decides to give some series of one forecaster another version, or a new epoch of the same one, under the current
/// configuration.
struct DecideVersions: WriterCommand {
    let versions: [SeriesID: LoadedVersion]
    /// The number of slots to replay before the epoch; nil: as configured.
    var warmUp: Int?
    let cause: Cause
    /// The forecaster's new champion; nil: unchanged.
    var champion: (forecaster: String, version: Int64)?

    /// - Throws: ``EngineError/unusableVersion(_:forecaster:reason:)`` if a version's horizon or quantiles differ from
    ///   the configuration's.
    func run(on writer: Writer) throws -> ModelChange {
        let configuration = writer.configuration
        var parts: [SeriesID: ModelChange.Part] = [:]
        for entry in writer.entries.values {
            guard let version = versions[entry.id], let forecaster = configuration.forecaster(for: entry.key),
                forecaster.name == version.version.forecaster || PlantedBug.resultOverrulesReload.isActive
            else { continue }
            guard version.fits(forecaster) || PlantedBug.misfitServes.isActive else {
                throw EngineError.specificationMismatch(version.version, forecaster.name)
            }
            let service = ModelChange.Service(
                version: version, setting: configuration.setting(of: entry.key, forecaster),
                warmUp: warmUp ?? forecaster.warmUpSlots)
            parts[entry.id] = ModelChange.Part(service: service, cause: cause)
        }
        return ModelChange(parts: parts, calendar: configuration.calendar, champion: champion)
    }
}

/// The version rows of a configuration's methods without training, created where missing.
struct InsertUntrainedVersions: WriterCommand {
    let configuration: EngineConfiguration

    func run(on writer: Writer) throws -> [ModelVersion] {
        try Assigner(writer: writer)
            .untrainedVersions(of: configuration)
    }
}

/// Stores a trained version.
struct InsertVersion: WriterCommand {
    let version: NewModelVersion

    func run(on writer: Writer) throws -> ModelVersion {
        try writer.write { try $0.insertModelVersion(version) }
    }
}

/// Removes the weights of unreachable versions: those that serve no series, are no rollback target, and are older than
/// the newest `keep_versions` of their forecaster.
///
/// Rows and metrics stay.
struct PruneVersions: WriterCommand {
    func run(on writer: Writer) throws {
        let limits = writer.configuration.forecasters.map { ($0.name, $0.keepVersions) }
        let unreachable = try writer.store.unreachableVersions(keeping: Dictionary(keepingFirst: limits))
        guard !unreachable.isEmpty else { return }
        let now = writer.now
        try writer.write { try $0.pruneWeights(of: unreachable, at: now) }
    }
}

/// Notes an event of a forecaster's models.
struct AddModelEvent: WriterCommand {
    let event: ModelEvent

    func run(on writer: Writer) throws { try writer.write { try $0.addModelEvent(event) } }
}

/// The current configuration.
struct CurrentConfiguration: WriterCommand {
    func run(on writer: Writer) -> EngineConfiguration { writer.configuration }
}
