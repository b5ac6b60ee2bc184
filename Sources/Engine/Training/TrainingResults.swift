import Basics
import Forecasting
import Storage
import TimeSeries

/// What becomes of a training run that has ended.
extension Engine {
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
        _ = try await runtime.apart {
            try method.load(weights: weights, specification: preparation.request.specification)
        }
        let version = try await writer.run(InsertVersion(version: new))
        let candidate = try await runtime.apart { [catalog] in try catalog.load(version) }
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
