public import Forecasting
import Storage
public import TimeSeries

/// The scores of one series over a range of time.
public struct ScoredSeries: Sendable {
    public var series: SeriesKey
    public var forecaster: String
    public var method: String
    public var version: Int
    public var quantiles: QuantileLevels
    /// Finished blocks, ascending, then the one that is being scored.
    public var blocks: [SlotScores]
    /// The experts of the serving model, their weights, drift and the newest surprise.
    public var report: ScoreReport
}

extension Engine {
    /// What the forecasts of the selected series were worth between two instants, in whole blocks of slots.
    ///
    /// - Throws: `CancellationError` between two slices of the series or of the database.
    public func scores(
        _ selector: SeriesSelector, in range: ClosedRange<Timestamp>
    ) async throws -> [ScoredSeries] {
        let matching = directory.matching(selector).map(\.id)
        var finished: [SeriesID: [ScoreReader.Block]] = [:]
        var reader = store.scores(of: Set(matching), in: range)
        while let slice = try reader.next() {
            for block in slice { finished[block.series, default: []].append(block) }
            try Task.checkCancellation()
            // The thread is lent by everybody else's tasks.
            await Task.yield()
        }
        let found = try await askEach(matching, areCurrent: true) { $0.scores(of: $1) }
        return matching.compactMap { id in
            guard case (var scores, let current)? = found[id] else { return nil }
            // The database may hold the current block from before a late reading.
            scores.blocks = (finished[id] ?? []).filter { $0.start != current?.start }.map(\.scores)
            if let current, range.contains(current.start) { scores.blocks.append(current.scores) }
            return scores
        }
    }

    /// How often truths lay inside the intervals since the daemon started: by forecaster, then by lead.
    public func coverage() async throws -> [String: [SlotScores.Coverage]] {
        var totals = CoverageTotals()
        for shard in shards { totals.add(try await ask(shard, about: []) { $0.coverage }) }
        return totals.byForecaster
    }
}

extension ShardView {
    /// What is known of `id` without the database; nil before its first step.
    func scores(of id: SeriesID) -> (scores: ScoredSeries, current: (start: Timestamp, scores: SlotScores)?)? {
        guard let state = state(of: id), let cadence = cadence(of: id), let version = assignment(of: id)?.version,
            let report = version.model.report(of: state.values, slot: state.slot, cadence: cadence)
        else { return nil }
        let scores = ScoredSeries(
            series: state.series, forecaster: state.forecaster, method: state.method, version: state.version,
            quantiles: version.specification.quantiles, blocks: [],
            report: report)
        return (scores, report.block.map { (cadence.start(of: $0.start), $0) })
    }
}
