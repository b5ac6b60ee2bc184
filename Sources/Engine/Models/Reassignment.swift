import Storage
import TimeSeries

/// Decides on the writer's thread which models serve under a configuration.
struct Reassignment {
    let writer: WriterState
    /// Why the states of some series cannot be continued.
    var obstacles: [SeriesID: String] = [:]

    /// - Returns: the change that makes `configuration` the current one, and what a person should know.
    func change(to configuration: EngineConfiguration) throws -> (change: ModelChange, warnings: [String]) {
        let assigner = Assigner(store: writer.store, catalog: writer.catalog, now: writer.now)
        let (first, warnings) = try assigner.firstVersions(of: configuration)
        let epochs = try writer.store.currentEpochs()
        let versions = Dictionary(
            try writer.store.modelVersions(of: nil).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var parts: [SeriesID: ModelChange.Part] = [:]
        var forecasters: [SeriesID: String?] = [:]
        for entry in writer.entries.values {
            let (id, former) = (entry.pointee.id, entry.pointee.forecaster)
            let forecaster = configuration.forecaster(for: entry.pointee.key)
            let setting = forecaster.map { configuration.setting(of: entry.pointee.key, $0) }
            if former != forecaster?.name { forecasters[id] = .some(forecaster?.name) }
            let epoch = epochs[id]
            let grid = ModelChange.Grid(
                declaredBy: configuration.rule(for: entry.pointee.key), for: entry.pointee.cadence)
            let situation = Assigner.Situation(
                epoch: epoch, version: epoch.flatMap { versions[$0.version] }, former: former, forecaster: forecaster,
                setting: setting, grid: grid, obstacle: obstacles[id])
            guard case .change(let version, let cause) = assigner.decide(situation, first: first, versions: versions)
            else { continue }
            // One that nothing has forecast and nothing will stays as it is.
            guard former != nil || version != nil || grid != nil else { continue }
            var service: ModelChange.Service?
            if let version, let setting, let forecaster {
                service = ModelChange.Service(version: version, setting: setting, warmUp: forecaster.warmUpSlots)
            }
            parts[id] = ModelChange.Part(
                service: service, cause: former == nil && service == nil ? Cause(grid?.reason ?? "") : cause, grid: grid
            )
        }
        let adoption = ModelChange.Adoption(
            configuration: configuration, firstVersions: first, forecasters: forecasters)
        let change = ModelChange(parts: parts, calendar: configuration.calendar, adoption: adoption)
        return (change, warnings + Self.settingChanges(parts))
    }

    /// How many series begin a new epoch, by the reason.
    private static func settingChanges(_ parts: [SeriesID: ModelChange.Part]) -> [String] {
        Dictionary(grouping: parts.values, by: \.cause.reason).map { reason, parts in
            "\(reason): \(parts.count) series "
                + (parts.first?.service != nil
                    ? "begin anew, warm" : parts.first?.grid != nil ? "have other slots" : "are no longer forecast")
        }.sorted()
    }
}
