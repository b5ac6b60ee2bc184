import Basics
import Forecasting
import Storage
import TimeSeries

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A model version with its weights loaded.
final class LoadedVersion: Sendable {
    let version: ModelVersion
    let specification: ForecastSpecification
    let model: ServedModel

    init(version: ModelVersion, specification: ForecastSpecification, model: ServedModel) {
        self.version = version
        self.specification = specification
        self.model = model
    }
}

/// The available methods, and the loaded model versions.
///
/// A version stays loaded while something references it: a series that it serves, the configuration whose new series it
/// serves first, or a training run. The catalog holds weak references only.
final class ModelCatalog: Sendable {
    private struct WeakVersion {
        weak var version: LoadedVersion?
    }

    private let methods: [String: any ForecastingMethod]
    private let store: Store
    private let loaded = Locked<[Int64: WeakVersion]>([:])
    /// Versions that failed to load, and why: not retried for every series that has one.
    private let failed = Locked<[Int64: (version: ModelVersion, error: EngineError)]>([:])

    init(methods: [any ForecastingMethod], store: Store) {
        self.methods = Dictionary(keepingFirst: methods.map { ($0.manifest.name, $0) })
        self.store = store
    }

    func method(_ name: String) throws -> any ForecastingMethod {
        guard let method = methods[name] else {
            throw EngineError.unknownMethod(name, known: methods.keys.sorted())
        }
        return method
    }

    func isTrainable(_ name: String) -> Bool { methods[name] is any TrainableMethod }

    /// The version, ready to step; loaded at the first call.
    ///
    /// - Parameter isRetry: whether to retry a version that failed to load before, which may take as long as a plugin's
    ///   start.
    func load(_ version: ModelVersion, isRetry: Bool = false) throws -> LoadedVersion {
        if let known = loaded.withLock({ $0[version.id]?.version }) { return known }
        // Not recorded among the failures, which are retried: pruned weights never come back.
        guard version.prunedAt == nil else {
            throw EngineError.unusableVersion(
                version.number, forecaster: version.forecaster,
                reason: "its weights were removed when newer versions had taken its place (keep_versions)")
        }
        if !isRetry, let failure = failed.withLock({ $0[version.id] }) { throw failure.error }
        do {
            let ready = try attempt(version)
            loaded.withLock { loaded in
                loaded = loaded.filter { $0.value.version != nil }
                loaded[version.id] = WeakVersion(version: ready)
            }
            failed.withLock { $0[version.id] = nil }
            return ready
        } catch let error as EngineError {
            failed.withLock { $0[version.id] = (version, error) }
            throw error
        }
    }

    /// Whether any version failed to load.
    var hasFailures: Bool { failed.withLock { !$0.isEmpty } }

    /// Retries every version that failed to load; blocks the calling thread.
    ///
    /// - Returns: the versions that loaded.
    func retry() -> [LoadedVersion] {
        let versions = failed.withLock { $0.values.map(\.version) }
        return versions.compactMap { try? load($0, isRetry: true) }
    }

    /// - Throws: ``EngineError/unusableVersion(_:forecaster:reason:)``, or a `StorageError` of the database.
    private func attempt(_ version: ModelVersion) throws -> LoadedVersion {
        do {
            let specification = try JSONDecoder().decode(
                ForecastSpecification.self, from: Data(version.parameters.utf8))
            let method = try method(version.method)
            guard method.manifest.version == version.methodVersion else {
                throw ForecastingError.badWeights(
                    method: version.method,
                    reason: "made by \(version.methodVersion) of the method, this is \(method.manifest.version)")
            }
            let model = try method.load(weights: store.weights(of: version.id), specification: specification)
            return LoadedVersion(
                version: version, specification: specification,
                model: ServedModel(model, specification: specification))
        } catch let error as StorageError {
            throw error
        } catch {
            throw EngineError.unusableVersion(version.number, forecaster: version.forecaster, reason: "\(error)")
        }
    }

    /// A version row of a method without training, with the parameters that `forecaster` configures.
    func untrained(_ method: String, for forecaster: ForecasterConfiguration, at now: Timestamp) throws
        -> NewModelVersion
    {
        let plugin = try self.method(method)
        var specification = forecaster.specification(of: plugin.manifest)
        specification.parameters = try plugin.manifest.resolve(specification.parameters)
        return NewModelVersion(
            forecaster: forecaster.name, method: method, methodVersion: plugin.manifest.version,
            parameters: try specification.canonicalText(), parent: nil, createdAt: now, windowStart: nil,
            windowEnd: nil, metrics: "{}", weights: [])
    }
}

extension ForecastSpecification {
    /// JSON with sorted keys, so that equal specifications have equal text.
    func canonicalText() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
