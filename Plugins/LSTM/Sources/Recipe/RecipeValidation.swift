import Recurrent

/// The loss on the last part of the series, which is excluded from training and used for early stopping.
struct RecipeValidation {
    private let forward: RecipeForward
    private let rows: [RecipeStreams.Row]
    private let positions: [RecipeForward.Position]

    /// Returns nil if there is nothing to validate on.
    ///
    /// - Parameter ends: for each series, the first slot whose targets must not be used for training.
    init?(
        _ network: RecipeNetwork, _ prepared: PreparedGroup, _ plan: RecipePlan, after ends: [Int], burnIn: Int,
        _ chunk: Int
    ) {
        guard plan.validation > 0 else { return nil }
        let rows = Self.rows(prepared, plan.batch, horizon: network.sizes.horizon, after: ends, burnIn, chunk)
        let forward = RecipeForward(
            network, prepared, batch: plan.batch, chunk: chunk, noise: 0, dropout: 0, seed: 0)
        let span = chunk - burnIn
        positions = rows.indices.flatMap { row in
            (0..<plan.positions).map { number in
                RecipeForward.Position(row: row, step: burnIn + (number * span + span / 2) / plan.positions)
            }
        }.filter {
            rows[$0.row].position + $0.step >= ends[rows[$0.row].series] && forward.scoredLeads($0, rows) > 0
        }
        guard !positions.isEmpty else { return nil }
        (self.forward, self.rows) = (forward, rows)
    }

    /// Rows that end in the validation part, evenly spread over series and time; none if no series is long enough.
    private static func rows(
        _ prepared: PreparedGroup, _ batch: Int, horizon: Int, after ends: [Int], _ burnIn: Int, _ chunk: Int
    ) -> [RecipeStreams.Row] {
        let usable = prepared.series.indices.filter { prepared.series[$0].count - horizon > max(ends[$0], chunk) }
        guard !usable.isEmpty else { return [] }
        let each = max(1, batch / usable.count)
        return (0..<batch).map { row in
            let isCrowded = usable.count > batch
            let series = isCrowded ? usable[row * usable.count / batch] : usable[row % usable.count]
            let last = prepared.series[series].count - horizon - chunk
            let first = min(last, max(0, ends[series] - burnIn))
            let turn = isCrowded ? 0 : row / usable.count
            return RecipeStreams.Row(
                series: series, position: last - (last - first) * (turn % each) / each, left: 1, isFresh: true)
        }
    }

    func loss() throws(RecurrentError) -> Double {
        try forward.score(positions, rows, forward.runRecurrent(rows, from: nil))
    }
}
