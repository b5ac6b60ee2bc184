import Basics
import Forecasting
import Storage
import TimeSeries

/// What the daemon keeps of a training run while the child process works.
struct TrainingPreparation: Sendable {
    var request: TrainingRequest
    /// The versions by contender.
    var versions: [String: LoadedVersion]
    /// The contender that serves each series.
    var incumbents: [SeriesID: String]
    /// The version whose weights the training starts from; nil: from scratch.
    var parent: Int64?
    var window: ClosedRange<Timestamp>
}

extension Engine {
    /// Writes the run folder: the panel, and every model that the new one has to beat.
    func prepareTraining(_ forecaster: ForecasterConfiguration, in folder: RunFolder) async throws
        -> TrainingPreparation
    {
        let (columns, calendar) = try await writer.run(ListTrainingColumns(forecaster: forecaster.name))
        let ids = try await seriesIDs(of: forecaster.name)
        // May read all readings of all series, so not on a shared task thread.
        return try await runtime.apart { [self] in
            let panel = try PanelAssembly(store: store, calendar: calendar, slots: forecaster.trainingSlots).run(
                columns)
            return try writeRun(of: forecaster, panel, contenders(of: forecaster, serving: ids), to: folder)
        }
    }

    private func writeRun(
        of forecaster: ForecasterConfiguration, _ panel: Panel,
        _ models: (versions: [String: LoadedVersion], incumbents: [SeriesID: String]), to folder: RunFolder
    ) throws -> TrainingPreparation {
        guard let start = panel.series.map({ $0.cadence.start(of: $0.start) }).min() else {
            throw EngineError.notReady("\(forecaster.name) has no series with a cadence yet; wait for more readings")
        }
        let (versions, incumbents) = models
        var weights: [String: [UInt8]] = [:]
        var contenders: [TrainingRequest.Contender] = []
        for (name, version) in versions.sorted(by: { $0.key < $1.key }) {
            let bytes = try store.weights(of: version.version.id)
            if !bytes.isEmpty { weights[name] = bytes }
            contenders.append(
                .init(
                    name: name, method: version.version.method, specification: version.specification,
                    weightsFile: bytes.isEmpty ? nil : name))
        }
        let (parent, misfit) = try startingPoint(of: forecaster)
        if let parent { weights[TrainingRequest.start] = try store.weights(of: parent) }
        let request = TrainingRequest(
            method: forecaster.method,
            specification: forecaster.specification(of: try catalog.method(forecaster.method).manifest),
            holdout: forecaster.holdout, contenders: contenders, startFile: parent.map { _ in TrainingRequest.start },
            startMisfit: misfit, panel: panel)
        try folder.write(request, panel, weights: weights)
        return TrainingPreparation(
            request: request, versions: versions, incumbents: incumbents, parent: parent,
            window: start...max(start, clock.now))
    }

    /// The champion if training is to start from its weights, or why its method or parameters do not match.
    private func startingPoint(
        of forecaster: ForecasterConfiguration
    ) throws -> (parent: Int64?, misfit: TrainingNote.Misfit?) {
        guard forecaster.startsFromChampion, let champion = try champion(of: forecaster.name),
            let version = try store.modelVersions(of: forecaster.name).first(where: { $0.id == champion })
        else { return (nil, nil) }
        let manifest = try catalog.method(forecaster.method).manifest
        let (expected, found) = (
            "\(manifest.name) \(manifest.version)", "\(version.method) \(version.methodVersion)"
        )
        guard expected == found else { return (nil, .method(expected: expected, found: found)) }
        let parameters = try forecaster.specification(of: manifest).canonicalText()
        return version.parameters == parameters ? (champion, nil) : (nil, .specification)
    }

    /// The opponents and the serving versions by name, and which of them serves each series.
    private func contenders(
        of forecaster: ForecasterConfiguration, serving ids: [SeriesID]
    ) throws -> (versions: [String: LoadedVersion], incumbents: [SeriesID: String]) {
        let rows = try store.modelVersions(of: forecaster.name)
        let byID = Dictionary(keepingFirst: rows.map { ($0.id, $0) })
        var versions: [String: LoadedVersion] = [:]
        for method in forecaster.opponents {
            guard let row = rows.last(where: { $0.method == method }) else { continue }
            do {
                versions[Self.name(of: row)] = try catalog.load(row)
            } catch EngineError.unusableVersion {
                // The contest runs without a plugin that is not available.
            }
        }
        var incumbents: [SeriesID: String] = [:]
        for id in ids {
            guard let epoch = try store.epochs(of: id).first, let row = byID[epoch.version] else { continue }
            incumbents[id] = Self.name(of: row)
            versions[Self.name(of: row)] = try catalog.load(row)
        }
        return (versions, incumbents)
    }

    private static func name(of version: ModelVersion) -> String { "v\(version.number)" }
}
