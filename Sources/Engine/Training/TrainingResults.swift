import Basics
import Forecasting
import Storage
import TimeSeries

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

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
        return try await apart { [self] in
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

    /// Stores the new version with its scores and gives every series the winner of its own contest.
    func storeResult(
        of folder: RunFolder, _ preparation: TrainingPreparation, _ forecaster: ForecasterConfiguration
    ) async throws -> (version: Int, promoted: Int, text: String) {
        let (result, weights) = try folder.readResult()
        let method = try catalog.method(forecaster.method)
        let metrics = try HoldoutReport(result, preparation, method: forecaster.method).text()
        let new = NewModelVersion(
            forecaster: forecaster.name, method: forecaster.method, methodVersion: method.manifest.version,
            parameters: try preparation.request.specification.canonicalText(),
            parent: result.wentOn ? preparation.parent : nil,
            createdAt: clock.now,
            windowStart: preparation.window.lowerBound, windowEnd: preparation.window.upperBound, metrics: metrics,
            weights: weights)
        // Weights that do not load, or contain NaN, must not get a row.
        _ = try await apart { try method.load(weights: weights, specification: preparation.request.specification) }
        let version = try await writer.run(InsertVersion(version: new))
        let candidate = try await apart { [catalog] in try catalog.load(version) }
        let winners = try winners(result, preparation, forecaster, candidate: candidate)
        let promoted = winners.values.count { $0.version.id == version.id }
        if !winners.isEmpty {
            _ = try await changes.make {
                try await writer.run(
                    DecideVersions(
                        versions: winners, cause: Cause("won the holdout of version \(version.number)"),
                        champion: promoted > 0 ? (forecaster.name, version.id) : nil))
            }
            modelCounters.recordChange(.promotion, nil)
        } else {
            try await writer.run(PruneVersions())
        }
        let text = "version \(version.number) serves \(promoted) of \(preparation.request.columns.count) series"
        return (version.number, promoted, ([text] + result.notes.map { "it \($0)" }).joined(separator: "; "))
    }

    /// The series whose model changes.
    private func winners(
        _ result: TrainingResult, _ preparation: TrainingPreparation, _ forecaster: ForecasterConfiguration,
        candidate: LoadedVersion
    ) throws -> [SeriesID: LoadedVersion] {
        let rule = PromotionRule(margin: forecaster.margin)
        var winners: [SeriesID: LoadedVersion] = [:]
        for (index, column) in preparation.request.columns.enumerated() {
            guard let incumbent = preparation.incumbents[column.id] else { continue }
            let scores = result.scores.compactMapValues { $0.indices.contains(index) ? $0[index] : nil }
            let winner = rule.winner(incumbent: incumbent, scores: scores)
            guard winner != incumbent else { continue }
            winners[column.id] = winner == TrainingRequest.candidate ? candidate : preparation.versions[winner]
        }
        return winners
    }
}

/// The scores of a training run as they are stored with the version: means over series, by contender.
public struct HoldoutReport: Codable, Sendable {
    public struct Row: Codable, Sendable {
        /// The method, with the version's number for an existing version.
        public var contender: String
        public var pinball: Double
        public var mase: Double
        public var series: Int
        /// The number of series on which it was the best.
        public var wins: Int
    }

    public var metrics: [String: Double]
    public var holdout: [Row]

    init(_ result: TrainingResult, _ preparation: TrainingPreparation, method: String) {
        metrics = result.metrics.filter(\.value.isFinite)
        let names = result.scores.keys.sorted()
        holdout = names.map { name in
            let label = preparation.versions[name].map { "\($0.version.method) \(name)" } ?? "\(method) (new)"
            let scores = (result.scores[name] ?? []).compactMap { $0 }.filter(\.isFinite)
            let wins = preparation.request.columns.indices.count { index in
                let row = names.compactMap { other in (result.scores[other]?[index]).map { (other, $0.pinball) } }
                return row.min { $0.1 < $1.1 }?.0 == name
            }
            let count = Double(max(1, scores.count))
            return Row(
                contender: label, pinball: scores.map(\.pinball).reduce(0, +) / count,
                mase: scores.map(\.mase).reduce(0, +) / count, series: scores.count, wins: wins)
        }
    }

    func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// The report that a version was stored with; nil for a version without training.
    public static func of(_ metrics: String) -> HoldoutReport? {
        try? JSONDecoder().decode(HoldoutReport.self, from: Data(metrics.utf8))
    }
}
