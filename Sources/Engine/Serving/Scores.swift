import Basics
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
    /// The finished blocks, ascending, then the current one.
    public var blocks: [SlotScores]
    /// The experts of the serving model, their weights, the drift and the newest surprise.
    public var report: ScoreReport
}

extension Engine {
    /// The scores of the selected series, in whole blocks of slots.
    ///
    /// A block belongs to the range in which its last slot begins, so that adjoining ranges add up; the current block
    /// ends with the newest slot.
    ///
    /// - Throws: `CancellationError` between two slices of the series or of the database.
    public func scores(
        _ selector: SeriesSelector, in range: ClosedRange<Timestamp>
    ) async throws -> [ScoredSeries] {
        let matching = directory.matching(selector).map(\.id)
        // A block moves from the shard to the pending writes and from there to the database: reading in this order
        // misses none.
        let current = try await shards.askEach(matching, areCurrent: true) { $0.scores(of: $1) }
        let pending = pendingWrites.scores.pending(of: matching)
        let written = try await writtenScores(of: matching, in: range)
        return matching.compactMap { id in
            guard let series = current[id] else { return nil }
            return series.with(written: written[id] ?? [], pending: pending[id], in: range)
        }
    }

    private func writtenScores(
        of series: [SeriesID], in range: ClosedRange<Timestamp>
    ) async throws -> [SeriesID: [ScoreReader.Block]] {
        var blocks: [SeriesID: [ScoreReader.Block]] = [:]
        var reader = store.scores(of: Set(series), in: range)
        while let slice = try reader.next() {
            for block in slice { blocks[block.series, default: []].append(block) }
            try Task.checkCancellation()
            // The thread is one of the few for long answers.
            await runtime.pause()
        }
        return blocks
    }

    /// How often values lay inside the prediction intervals since the daemon started, by forecaster and lead.
    public func coverage() async throws -> [String: [SlotScores.Coverage]] {
        var totals = CoverageTotals()
        for part in try await shards.askAll({ $0.coverage }) { totals.add(part) }
        return totals.byForecaster
    }
}

/// A shard's scores of one series.
struct ShardScores: Sendable {
    var series: ScoredSeries
    var cadence: Cadence
    /// The blocks that are not yet handed over, each with its end; of blocks with the same start the last counts.
    ///
    /// They are the blocks kept while a change of the model is pending; the block of the head, which the shard hands
    /// over only with the step after the one that ended it, because that one may still be rolled back; and the current
    /// block, which ends with the newest slot.
    var own: [(scores: SlotScores, end: Slot)] = []

    /// Merges the blocks of all sources; of duplicates the later in the order written, pending, own counts.
    func with(written: [ScoreReader.Block], pending: FinishedScores?, in range: ClosedRange<Timestamp>) -> ScoredSeries
    {
        var blocks: [Timestamp: SlotScores] = [:]
        for block in written { blocks[block.start] = block.scores }
        for block in pending?.blocks ?? [] {
            blocks[block.start] = range.contains(block.lastSlot) ? block.scores : nil
        }
        for (block, end) in own {
            blocks[cadence.start(of: block.start)] = range.contains(cadence.start(of: end)) ? block : nil
        }
        var series = series
        series.blocks = blocks.sorted { $0.key < $1.key }.map(\.value)
        return series
    }
}

extension ShardView {
    /// The scores of `id` that are not in the database yet; nil before its first step.
    func scores(of id: SeriesID) -> ShardScores? {
        guard let state = state(of: id), let cadence = cadence(of: id), let version = assignment(of: id)?.version,
            let runningState = series[id]?.runningState,
            let report = version.model.report(
                of: state.values, slot: state.slot, cadence: cadence, from: runningState.firstOwnSlot)
        else { return nil }
        let scored = ScoredSeries(
            series: state.series, forecaster: state.forecaster, method: state.method, version: state.version,
            quantiles: version.specification.quantiles, blocks: [], report: report)
        var own = (series[id]?.finishedBlocks ?? []).map { (scores: $0, end: $0.lastSlot) }
        if let previous = series[id]?.blockOfHead(), !PlantedBug.finishedBlockUnseen.isActive {
            own.append((previous, previous.lastSlot))
        }
        // Appended last: of blocks with the same start the last counts.
        if let block = report.block { own.append((block, state.slot)) }
        return ShardScores(series: scored, cadence: cadence, own: own)
    }
}

extension SlotScores {
    var lastSlot: Slot { start + Slot(slots) - 1 }

    /// Drops the slots from `end` on, none of which has been scored yet.
    mutating func cut(before end: Slot) {
        slots = Int(max(0, min(Slot(slots), end - start)))
        tails = Array(tails.prefix(slots))
    }
}
