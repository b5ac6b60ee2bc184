import Forecasting
import Storage
import TimeSeries

/// Decides which model version a series should have under a configuration.
struct Assigner {
    let store: Store
    let catalog: ModelCatalog
    let now: Timestamp

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
    ) throws -> (versions: [String: LoadedVersion], warnings: [String]) {
        var (first, warnings): ([String: LoadedVersion], [String]) = ([:], [])
        for forecaster in configuration.forecasters {
            let main = catalog.isTrainable(forecaster.method) ? [] : [forecaster.method]
            for method in main + forecaster.opponents {
                do {
                    let version = try untrainedVersion(method, of: forecaster)
                    if first[forecaster.name] == nil { first[forecaster.name] = try catalog.load(version) }
                } catch let error as StorageError {
                    throw error
                } catch {
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

    func decide(
        _ current: ModelVersion?, for forecaster: ForecasterConfiguration?, first: [String: LoadedVersion]
    ) -> Decision {
        guard let forecaster else { return .change(nil, reason: "no forecaster selects it any more") }
        let fallback = first[forecaster.name]
        guard let current, current.forecaster == forecaster.name else {
            return .change(fallback, reason: "selected by forecaster \(forecaster.name)")
        }
        guard let loaded = try? catalog.load(current) else {
            return .change(fallback, reason: "version \(current.number) cannot be loaded")
        }
        guard loaded.specification.horizon == forecaster.horizon,
            loaded.specification.quantiles == forecaster.quantiles
        else { return .change(fallback, reason: "the horizon or the quantiles of the configuration changed") }
        if !catalog.isTrainable(current.method), let fallback, current.method == fallback.version.method,
            current.id != fallback.version.id
        {
            return .change(fallback, reason: "the parameters of \(current.method) changed")
        }
        return .goOn(loaded)
    }
}
