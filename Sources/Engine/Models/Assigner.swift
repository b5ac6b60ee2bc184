import Forecasting
import Storage
import TimeSeries

/// What serves the series of a forecaster first.
struct FirstVersion: Sendable {
    var version: LoadedVersion
    /// The method in whose place it does, because that one cannot be loaded.
    var fallbackFor: MissingModel?
}

/// Decides which model version a series should have under a configuration.
struct Assigner {
    let store: Store
    let catalog: ModelCatalog
    let now: Timestamp

    /// What serves a series now, and what is wanted of it.
    struct Situation {
        /// The newest epoch of the series and its version; nil before the first.
        var epoch: Epoch?
        var version: ModelVersion?
        /// The forecaster that the series had until now.
        var former: String?
        var forecaster: ForecasterConfiguration?
        /// What the configuration says that a state depends on; nil without a forecaster.
        var setting: EpochSetting?
        /// Its other slots, if the configuration declares some.
        var grid: ModelChange.Grid?
        /// Why its state on disk cannot be continued.
        var obstacle: String?
    }

    enum Decision {
        case goOn
        /// `version` nil: no forecaster any more.
        case change(LoadedVersion?, Cause)
    }

    /// Makes sure that every method without training has a version row, and says which one serves first.
    ///
    /// - Returns: what a person should know, too: a method that cannot be used leaves its place to the next opponent.
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

    /// The version rows of every method without training; none is loaded.
    func untrainedVersions(of configuration: EngineConfiguration) throws -> [ModelVersion] {
        try configuration.forecasters.flatMap { forecaster in
            try ([forecaster.method] + forecaster.opponents).compactMap { method in
                guard !catalog.isTrainable(method) else { return nil }
                do {
                    return try untrainedVersion(method, of: forecaster)
                } catch let error as StorageError {
                    throw error
                } catch {
                    // firstVersions(of:) tells of it.
                    return nil
                }
            }
        }
    }

    /// The version row of a method without training with the parameters of today; made if there is none.
    private func untrainedVersion(_ method: String, of forecaster: ForecasterConfiguration) throws -> ModelVersion {
        let wanted = try catalog.untrained(method, for: forecaster, at: now)
        let known = try store.modelVersions(of: forecaster.name).last {
            $0.method == wanted.method && $0.methodVersion == wanted.methodVersion && $0.parameters == wanted.parameters
        }
        return try known ?? store.write { try $0.insertModelVersion(wanted) }
    }

    /// - Parameter versions: all there are, by their identity.
    func decide(
        _ situation: Situation, first: [String: FirstVersion], versions: [Int64: ModelVersion]
    ) -> Decision {
        guard let forecaster = situation.forecaster else {
            return .change(nil, Cause("no forecaster selects it any more"))
        }
        let fallback = first[forecaster.name]
        func change(_ reason: String) -> Decision {
            .change(fallback?.version, Cause(reason, fallbackFor: fallback?.fallbackFor))
        }
        guard let epoch = situation.epoch, let version = situation.version, version.forecaster == forecaster.name,
            situation.former == forecaster.name
        else { return change("selected by forecaster \(forecaster.name)") }
        guard let loaded = try? catalog.load(version) else {
            return .change(
                fallback?.version,
                Cause("version \(version.number) cannot be loaded", fallbackFor: .version(version.id)))
        }
        if let decision = replacementForFallback(epoch, forecaster, fallback, versions) { return decision }
        guard loaded.fits(forecaster) else {
            // A trained one comes back when it fits again.
            let former = catalog.isTrainable(version.method) ? .version(version.id) : epoch.fallbackFor
            return .change(
                fallback?.version,
                Cause(
                    "the horizon or the quantiles of the configuration changed",
                    fallbackFor: former ?? fallback?.fallbackFor))
        }
        if let fallback, !catalog.isTrainable(version.method), version.method == fallback.version.version.method,
            version.id != fallback.version.version.id
        {
            return change("the parameters of \(version.method) changed")
        }
        var reasons = situation.grid.map { [$0.reason] } ?? []
        if let wanted = situation.setting, let found = epoch.setting, wanted != found {
            reasons.append(found.difference(from: wanted))
        }
        if let obstacle = situation.obstacle { reasons.append(obstacle) }
        guard !reasons.isEmpty else { return .goOn }
        return .change(loaded, Cause(reasons.joined(separator: ", "), fallbackFor: epoch.fallbackFor))
    }

    /// The change back from a fallback to the model that it replaces, if that can be loaded again; nil otherwise.
    private func replacementForFallback(
        _ epoch: Epoch, _ forecaster: ForecasterConfiguration, _ first: FirstVersion?,
        _ versions: [Int64: ModelVersion]
    ) -> Decision? {
        switch epoch.fallbackFor {
        case nil: return nil
        case .version(let id):
            guard let former = versions[id], let loaded = try? catalog.load(former), loaded.fits(forecaster) else {
                return nil
            }
            return .change(loaded, Cause("version \(former.number) can serve again"))
        case .method(let name):
            guard let first, first.fallbackFor == nil, first.version.version.id != epoch.version else { return nil }
            return .change(first.version, Cause("\(name) can be loaded now"))
        }
    }
}

extension LoadedVersion {
    /// Whether it forecasts what the configuration asks for.
    func fits(_ forecaster: ForecasterConfiguration) -> Bool {
        specification.horizon == forecaster.horizon && specification.quantiles == forecaster.quantiles
    }
}

extension EpochSetting {
    /// What is another in `wanted`, for people.
    fileprivate func difference(from wanted: EpochSetting) -> String {
        var parts: [String] = []
        if maxGap != wanted.maxGap { parts.append("max_gap changed from \(maxGap) to \(wanted.maxGap)") }
        if timeZone != wanted.timeZone { parts.append("time_zone changed from \(timeZone) to \(wanted.timeZone)") }
        if aggregate != wanted.aggregate {
            parts.append("aggregate changed from \(aggregate.rawValue) to \(wanted.aggregate.rawValue)")
        }
        return parts.joined(separator: ", ")
    }
}
