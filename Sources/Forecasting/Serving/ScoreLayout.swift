import TimeSeries

/// The offset of each number in a series' score state, and what is scored at all.
///
/// | floats | what |
/// |---|---|
/// | 1 | the newest slot, modulo 2²⁴; −1 before the first |
/// | 1 | the last value; NaN before the first |
/// | 2 | mean absolute step of the series, and the number of steps it averages |
/// | 3 | loss of the one-step forecast: recent mean, long-run mean, and the number of scored slots |
/// | 1 | tail probability of the newest slot's value; NaN without one |
/// | 1 + 40 | anomaly score of the newest slot, and the state of ``AnomalyScore`` |
/// | Q | forecast of the next slot; NaN without one |
/// | knots × Q | corrections of ``Calibration`` |
/// | 2 E + 1 | weights and losses of the experts, completed origins; none of these for one expert |
/// | P × (2 + H Q + E + E × leads × levels) | pending origins; P × (1 + H Q) for one expert |
/// | … | the block of slots being scored, see ``ScoreBlock`` |
///
/// Q is the number of quantiles, E of experts, P of pending origins, and H the horizon; `leads` and `levels` are the counts
/// of ``expertLeads`` and ``expertLevels``.
struct ScoreLayout: Sendable {
    let experts: Int
    let horizon: Int
    /// The number of quantiles.
    let width: Int
    let levels: [Float]
    let median: Int
    /// The number of slots between the origins from which mix and calibration learn and whose longer leads are scored:
    /// half a horizon, because forecasts that overlap more add little information.
    let spacing: Int
    /// The maximum number of pending origins.
    let pendingCount: Int
    /// The leads and the indices of the levels at which experts are compared: enough to rank them.
    let expertLeads: [Int]
    let expertLevels: [Int]
    let block: ScoreBlock
    let calibration: Calibration

    init(experts: Int, specification: ForecastSpecification) {
        let levels = specification.quantiles
        (self.experts, horizon, width) = (experts, specification.horizon, levels.count)
        self.levels = levels.levels.map { Float($0) }
        median = levels.medianIndex
        spacing = (specification.horizon + 1) / 2
        pendingCount = (specification.horizon + spacing - 1) / spacing
        let horizon = specification.horizon
        let leads = min(6, horizon)
        expertLeads = experts > 1 ? (1...leads).map { ($0 * horizon + leads - 1) / leads } : []
        expertLevels = Self.spread(count: levels.count, at: experts > 1 ? 5 : 0)
        block = ScoreBlock(horizon: horizon)
        calibration = Calibration(horizon: horizon, levels: self.levels, median: median, spacing: spacing)

        let mixed = experts > 1 ? experts : 0
        expertCount = expertLeads.count * expertLevels.count
        comparisons = issued + horizon * width
        sums = comparisons + 1
        expertForecasts = sums + experts
        pendingSize = experts > 1 ? expertForecasts + expertCount * experts : comparisons
        corrections = next + width
        weights = corrections + calibration.count
        losses = weights + mixed
        finished = losses + mixed
        pending = finished + (experts > 1 ? 1 : 0)
        blockStart = pending + pendingCount * pendingSize
        count = blockStart + block.count
    }

    /// At most `wanted` of `count` indices, evenly spread.
    private static func spread(count: Int, at wanted: Int) -> [Int] {
        guard wanted > 0 else { return [] }
        guard count > wanted else { return Array(0..<count) }
        return (0..<wanted).map { $0 * (count - 1) / (wanted - 1) }
    }

    // MARK: Offsets

    let slot = 0
    let last = 1
    let scale = 2
    let steps = 3
    let recentLoss = 4
    let longRunLoss = 5
    let scoredSlots = 6
    let tail = 7
    let surprise = 8
    let surpriseState = 9
    let next = 9 + AnomalyScore.count
    let corrections: Int
    let weights: Int
    let losses: Int
    let finished: Int
    let pending: Int
    let pendingSize: Int
    let blockStart: Int
    let count: Int
    func pending(_ index: Int) -> Int { pending + index * pendingSize }

    // Offsets within one pending origin.
    let age = 0
    let issued = 1
    let comparisons: Int
    let sums: Int
    let expertForecasts: Int
    /// The number of values kept of each expert's forecast.
    let expertCount: Int

    /// The score state before the first slot.
    func initial(priors: [Float]) -> [Float] {
        var state = [Float](repeating: 0, count: count)
        state[slot] = -1
        state[last] = .nan
        state[tail] = .nan
        for quantile in 0..<width { state[next + quantile] = .nan }
        if experts > 1 { for expert in 0..<experts { state[weights + expert] = priors[expert] } }
        for index in 0..<pendingCount { state[pending(index)] = -1 }
        state[blockStart] = -1
        return state
    }
}
