import TimeSeries

/// Where in a series' score state each number lies, and what is scored at all.
///
/// | floats | what |
/// |---|---|
/// | 1 | the newest slot, modulo 2²⁴; −1 before the first |
/// | 1 | the last value; NaN before the first |
/// | 2 | mean absolute step of the series, and the steps it looks back on |
/// | 3 | loss of the next slot's forecast: lately, in the long run, and how many |
/// | 1 | the tail probability of the newest slot's value; NaN without one |
/// | 1 + 40 | how unusual that is, and what ``AnomalyScore`` remembers |
/// | Q | the forecast of the next slot; NaN without one |
/// | knots × Q | calibration |
/// | 2 E + 1 | weights and losses of the experts, finished origins; nothing for one expert |
/// | P × (1 + H Q + 2 + E + E leads levels) | origins whose truths are still coming |
/// | … | the block of slots that is being scored, see ``ScoreBlock`` |
struct ScoreLayout: Sendable {
    let experts: Int
    let horizon: Int
    /// The number of quantiles.
    let width: Int
    let levels: [Float]
    let median: Int
    /// Slots between the origins that mix and calibration learn from, and whose longer leads are scored: half a horizon,
    /// since forecasts that overlap more say little new.
    let spacing: Int
    /// Origins whose truths may be outstanding at once.
    let pendingCount: Int
    /// The leads and the places of the quantiles by which experts are told apart: enough to rank them.
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

    /// At most `wanted` of `count` places, evenly spread.
    private static func spread(count: Int, at wanted: Int) -> [Int] {
        guard wanted > 0 else { return [] }
        guard count > wanted else { return Array(0..<count) }
        return (0..<wanted).map { $0 * (count - 1) / (wanted - 1) }
    }

    // MARK: Places

    let slot = 0
    let last = 1
    let scale = 2
    let steps = 3
    let lately = 4
    let longRun = 5
    let scoredSlots = 6
    let tail = 7
    let surprise = 8
    let surpriseMemory = 9
    let next = 9 + AnomalyScore.count
    let corrections: Int
    let weights: Int
    let losses: Int
    let finished: Int
    let pending: Int
    let pendingSize: Int
    let blockStart: Int
    let count: Int
    func pending(_ place: Int) -> Int { pending + place * pendingSize }

    // Within one outstanding origin.
    let age = 0
    let issued = 1
    let comparisons: Int
    let sums: Int
    let expertForecasts: Int
    /// Numbers kept of one expert's forecast.
    let expertCount: Int

    /// The score state before the first slot.
    func initial(priors: [Float]) -> [Float] {
        var state = [Float](repeating: 0, count: count)
        state[slot] = -1
        state[last] = .nan
        state[tail] = .nan
        for place in 0..<width { state[next + place] = .nan }
        if experts > 1 { for expert in 0..<experts { state[weights + expert] = priors[expert] } }
        for place in 0..<pendingCount { state[pending(place)] = -1 }
        state[blockStart] = -1
        return state
    }
}
