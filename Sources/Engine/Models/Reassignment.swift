import Basics
import Storage
import TimeSeries

/// Decides which models serve under a configuration.
struct DecideReassignment: WriterCommand {
    let configuration: EngineConfiguration
    /// Why the states of some series cannot be continued.
    var obstacles: [SeriesID: String] = [:]

    /// - Returns: the change that makes the configuration current, and warnings for the operator.
    func run(on writer: Writer) throws -> (change: ModelChange, warnings: [String]) {
        let assigner = Assigner(writer: writer)
        let (first, warnings) = try assigner.firstVersions(of: configuration)
        let epochs = try writer.store.currentEpochs()
        let versions = Dictionary(keepingFirst: try writer.store.modelVersions(of: nil).map { ($0.id, $0) })
        var parts: [SeriesID: ModelChange.Part] = [:]
        var forecasters: [SeriesID: String?] = [:]
        for entry in writer.entries.values {
            let (id, previousForecaster) = (entry.id, entry.forecaster)
            let forecaster = configuration.forecaster(for: entry.key)
            let setting = forecaster.map { configuration.setting(of: entry.key, $0) }
            if previousForecaster != forecaster?.name { forecasters[id] = .some(forecaster?.name) }
            let epoch = epochs[id]
            let grid = ModelChange.Grid(
                declaredBy: configuration.rule(for: entry.key), for: entry.cadence)
            let situation = Assigner.Situation(
                epoch: epoch, version: epoch.flatMap { versions[$0.version] },
                previousForecaster: previousForecaster, forecaster: forecaster, setting: setting, grid: grid,
                obstacle: obstacles[id])
            guard case .change(let version, let cause) = assigner.decide(situation, first: first, versions: versions)
            else { continue }
            // A series without a forecaster before and after stays as it is.
            guard previousForecaster != nil || version != nil || grid != nil else { continue }
            var service: ModelChange.Service?
            if let version, let setting, let forecaster {
                service = ModelChange.Service(version: version, setting: setting, warmUp: forecaster.warmUpSlots)
            }
            parts[id] = ModelChange.Part(
                service: service,
                cause: previousForecaster == nil && service == nil ? Cause(grid?.reason ?? "") : cause, grid: grid)
        }
        let adoption = ModelChange.Adoption(
            configuration: configuration, firstVersions: first, forecasters: forecasters)
        let change = ModelChange(parts: parts, calendar: configuration.calendar, adoption: adoption)
        return (change, warnings + Self.settingChanges(parts))
    }

    /// One line per reason, with the number of series that it affects.
    private static func settingChanges(_ parts: [SeriesID: ModelChange.Part]) -> [String] {
        Dictionary(grouping: parts.values, by: \.cause.reason).map { reason, parts in
            "\(reason): \(parts.count) series "
                + (parts.first?.service != nil
                    ? "begin anew, warm" : parts.first?.grid != nil ? "have other slots" : "are no longer forecast")
        }.sorted()
    }
}
