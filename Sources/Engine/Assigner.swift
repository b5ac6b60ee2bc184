import Forecasting
import Storage
import TimeSeries

/// What serves the series of a forecaster first.
struct FirstVersion: Sendable {
    var version: LoadedVersion
    /// The method in whose place it does, because that one cannot be loaded.
    var standsFor: String?
}

/// What an epoch's reason tells of a model that serves because another could not be loaded: it makes room when that one
/// can be.
enum StandIn {
    private static let words = ", in place of "

    static func remark(_ wanted: String?) -> String { wanted.map { words + $0 } ?? "" }

    /// What `remark` was made of; nil: the model is no stand-in.
    static func wanted(_ reason: String) -> String? {
        reason.firstRange(of: words).map { String(reason[$0.upperBound...]) }
    }
}

/// Decides which model version a series should have under a configuration.
struct Assigner {
    let store: Store
    let catalog: ModelCatalog
    let now: Timestamp

    /// What serves a series now, and why.
    typealias Current = (version: ModelVersion, reason: String)

    enum Decision {
        case goOn(LoadedVersion)
        /// `version` nil: no forecaster any more.
        case change(LoadedVersion?, reason: String)
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
            var missing: String?
            for method in main + forecaster.opponents {
                do {
                    let version = try untrainedVersion(method, of: forecaster)
                    guard first[forecaster.name] == nil else { continue }
                    first[forecaster.name] = FirstVersion(version: try catalog.load(version), standsFor: missing)
                } catch let error as StorageError {
                    throw error
                } catch {
                    missing = missing ?? method
                    warnings.append("forecaster \(forecaster.name): \(error)")
                }
            }
        }
        return (first, warnings)
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
        _ current: Current?, for forecaster: ForecasterConfiguration?, first: [String: FirstVersion],
        versions: [Int64: ModelVersion]
    ) -> Decision {
        guard let forecaster else { return .change(nil, reason: "no forecaster selects it any more") }
        let fallback = first[forecaster.name]
        func change(_ reason: String) -> Decision {
            .change(fallback?.version, reason: reason + StandIn.remark(fallback?.standsFor))
        }
        guard let current, current.version.forecaster == forecaster.name else {
            return change("selected by forecaster \(forecaster.name)")
        }
        let version = current.version
        guard let loaded = try? catalog.load(version) else {
            let name = "version \(version.number)"
            return .change(fallback?.version, reason: "\(name) cannot be loaded" + StandIn.remark(name))
        }
        guard fits(loaded, forecaster) else {
            return change("the horizon or the quantiles of the configuration changed")
        }
        if let fallback, !catalog.isTrainable(version.method), version.method == fallback.version.version.method,
            version.id != fallback.version.version.id
        {
            return change("the parameters of \(version.method) changed")
        }
        return comeback(current, forecaster, fallback, versions) ?? .goOn(loaded)
    }

    private func fits(_ loaded: LoadedVersion, _ forecaster: ForecasterConfiguration) -> Bool {
        loaded.specification.horizon == forecaster.horizon && loaded.specification.quantiles == forecaster.quantiles
    }

    /// What a stand-in makes room for, now that it can be loaded; nil for every other model.
    private func comeback(
        _ current: Current, _ forecaster: ForecasterConfiguration, _ first: FirstVersion?,
        _ versions: [Int64: ModelVersion]
    ) -> Decision? {
        guard let wanted = StandIn.wanted(current.reason) else { return nil }
        let former = versions.values.first { $0.forecaster == forecaster.name && wanted == "version \($0.number)" }
        if let former, let loaded = try? catalog.load(former), fits(loaded, forecaster) {
            return .change(loaded, reason: "\(wanted) can be loaded again")
        }
        guard former == nil, let first, first.standsFor == nil, first.version.version.id != current.version.id else {
            return nil
        }
        return .change(first.version, reason: "\(wanted) can be loaded now")
    }
}
