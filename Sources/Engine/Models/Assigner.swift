import Basics
import Forecasting
import Storage
import TimeSeries

/// The version that serves new series of a forecaster.
struct FirstVersion: Sendable {
    var version: LoadedVersion
    /// The method that it replaces because that one cannot be loaded; nil if it is the first choice.
    var fallbackFor: MissingModel?
}

/// Decides which model version a series should have under a configuration.
struct Assigner {
    let writer: Writer

    private var catalog: ModelCatalog { writer.catalog }

    /// What serves a series now, and what the configuration asks for.
    struct Situation {
        /// The newest epoch of the series and its version; nil before the first epoch.
        var epoch: Epoch?
        var version: ModelVersion?
        /// The forecaster of the series so far.
        var previousForecaster: String?
        var forecaster: ForecasterConfiguration?
        /// The configured settings that a state depends on; nil without a forecaster.
        var setting: EpochSetting?
        /// The new grid of its slots, if the configuration declares another cadence.
        var grid: ModelChange.Grid?
        /// Why its state on disk cannot be continued; nil if it can.
        var obstacle: String?
    }

    enum Decision {
        case keep
        /// With a nil version, the series no longer has a forecaster.
        case change(LoadedVersion?, Cause)
    }

    /// Ensures that every method without training has a version row, and returns which one serves new series.
    ///
    /// - Returns: the first version of each forecaster, and warnings for the operator: where a method cannot be used,
    ///   the next opponent serves.
    func firstVersions(
        of configuration: EngineConfiguration
    ) throws -> (versions: [String: FirstVersion], warnings: [String]) {
        var (first, warnings): ([String: FirstVersion], [String]) = ([:], [])
        for forecaster in configuration.forecasters {
            let main = catalog.isTrainable(forecaster.method) ? [] : [forecaster.method]
            var missing: MissingModel?
            for method in main + forecaster.opponents {
                do {
                    let version = try untrainedVersion(method, of: forecaster)
                    guard first[forecaster.name] == nil else { continue }
                    first[forecaster.name] = FirstVersion(version: try catalog.load(version), fallbackFor: missing)
                } catch let error as StorageError {
                    throw error
                } catch {
                    missing = missing ?? .method(method)
                    warnings.append("forecaster \(forecaster.name): \(error)")
                }
            }
        }
        return (first, warnings)
    }

    /// The version rows of all methods without training; does not load them.
    func untrainedVersions(of configuration: EngineConfiguration) throws -> [ModelVersion] {
        try configuration.forecasters.flatMap { forecaster in
            try ([forecaster.method] + forecaster.opponents).compactMap { method in
                guard !catalog.isTrainable(method) else { return nil }
                do {
                    return try untrainedVersion(method, of: forecaster)
                } catch let error as StorageError {
                    throw error
                } catch {
                    // firstVersions(of:) reports it.
                    return nil
                }
            }
        }
    }

    /// The version row of a method without training with the current parameters; created if missing.
    private func untrainedVersion(_ method: String, of forecaster: ForecasterConfiguration) throws -> ModelVersion {
        let new = try catalog.untrained(method, for: forecaster, at: writer.now)
        let known = try writer.store.modelVersions(of: forecaster.name).last {
            $0.method == new.method && $0.methodVersion == new.methodVersion && $0.parameters == new.parameters
        }
        return try known ?? writer.write { try $0.insertModelVersion(new) }
    }

    /// - Parameter versions: all versions, by ID.
    func decide(
        _ situation: Situation, first: [String: FirstVersion], versions: [Int64: ModelVersion]
    ) -> Decision {
        guard let forecaster = situation.forecaster else {
            if PlantedBug.letGoServes.isActive { return .keep }
            return .change(nil, Cause("no forecaster selects it any more"))
        }
        let fallback = first[forecaster.name]
        func change(_ reason: String) -> Decision {
            .change(fallback?.version, Cause(reason, fallbackFor: fallback?.fallbackFor))
        }
        guard let epoch = situation.epoch, let version = situation.version, version.forecaster == forecaster.name,
            situation.previousForecaster == forecaster.name
        else { return change("selected by forecaster \(forecaster.name)") }
        guard let loaded = try? catalog.load(version) else {
            return .change(
                fallback?.version,
                Cause("version \(version.number) cannot be loaded", fallbackFor: .version(version.id)))
        }
        if let decision = replacementForFallback(epoch, forecaster, fallback, versions) { return decision }
        guard loaded.fits(forecaster) else {
            // A trained version returns once it fits again.
            let previous = catalog.isTrainable(version.method) ? .version(version.id) : epoch.fallbackFor
            return .change(
                fallback?.version,
                Cause(
                    "the horizon or the quantiles of the configuration changed",
                    fallbackFor: previous ?? fallback?.fallbackFor))
        }
        if let fallback, !catalog.isTrainable(version.method), version.method == fallback.version.version.method,
            version.id != fallback.version.version.id
        {
            return change("the parameters of \(version.method) changed")
        }
        var reasons = situation.grid.map { [$0.reason] } ?? []
        if let configured = situation.setting, let current = epoch.setting, configured != current,
            !PlantedBug.settingsOutsideEpoch.isActive
        {
            reasons.append(current.difference(to: configured))
        }
        if let obstacle = situation.obstacle { reasons.append(obstacle) }
        guard !reasons.isEmpty else { return .keep }
        return .change(loaded, Cause(reasons.joined(separator: ", "), fallbackFor: epoch.fallbackFor))
    }

    /// The change from a fallback back to the model that it replaces; nil if that cannot be loaded.
    private func replacementForFallback(
        _ epoch: Epoch, _ forecaster: ForecasterConfiguration, _ first: FirstVersion?,
        _ versions: [Int64: ModelVersion]
    ) -> Decision? {
        switch epoch.fallbackFor {
        case nil: return nil
        case .version(let id):
            guard let previous = versions[id], let loaded = try? catalog.load(previous), loaded.fits(forecaster) else {
                return nil
            }
            return .change(loaded, Cause("version \(previous.number) can serve again"))
        case .method(let name):
            guard let first, first.fallbackFor == nil, first.version.version.id != epoch.version else { return nil }
            return .change(first.version, Cause("\(name) can be loaded now"))
        }
    }
}

extension LoadedVersion {
    /// Whether its horizon and quantiles are those of the configuration.
    func fits(_ forecaster: ForecasterConfiguration) -> Bool {
        specification.horizon == forecaster.horizon && specification.quantiles == forecaster.quantiles
    }
}

extension EpochSetting {
    /// Describes what differs in `configured`.
    fileprivate func difference(to configured: EpochSetting) -> String {
        var parts: [String] = []
        if maxGap != configured.maxGap { parts.append("max_gap changed from \(maxGap) to \(configured.maxGap)") }
        if timeZone != configured.timeZone {
            parts.append("time_zone changed from \(timeZone) to \(configured.timeZone)")
        }
        if aggregate != configured.aggregate {
            parts.append("aggregate changed from \(aggregate.rawValue) to \(configured.aggregate.rawValue)")
        }
        return parts.joined(separator: ", ")
    }
}
