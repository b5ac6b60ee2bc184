import Forecasting
import LinearARForecaster
import Recurrent

/// The numbers that describe one slot of a series, and the lags from which they come; the same for training and live
/// steps.
///
/// All values are relative to the newest one and in units of the series' scale, so the last value itself is zero.
package struct SlotShape: Sendable {
    let seasons: Seasonality
    let horizon: Int
    let linearLags: [Int]
    let window: LagWindow

    /// One-step error, error of the last lead, mean error of the leads now due, mean error of the last path, leaky sum
    /// of one-step errors, and the last value minus the values at lags m, week, 1 and horizon.
    static let errorCount = 9
    /// Value minus long mean, minus short mean, level, differences from the lags 1, m, m − 1 and week, and whether the
    /// value is missing.
    static let plainCount = 8
    /// Lag m and lag week of the slot, and the three rolling means.
    static let staticCount = 5
    /// Leaky means of the absolute base error: three of the one-step error, two of the last lead's.
    static let memoryCount = 5
    /// Floats of the state: the leaky sum of errors, the number of errors seen, and the leaky means.
    static let stateCount = 2 + memoryCount

    // Offsets in a slot's numbers.
    let plain = 0
    let errors = SlotShape.plainCount
    let base = SlotShape.plainCount + SlotShape.errorCount
    let statics: Int
    let memories: Int
    /// Lag m at leads 0…horizon + 1.
    let shortLags: Int
    /// Lag 2m at leads 1…horizon.
    let doubleLags: Int
    /// Lag week, or 2m without a week.
    let longLags: Int
    let phases: Int
    let count: Int

    private let shortIndices: [Int]
    private let doubleIndices: [Int]
    private let longIndices: [Int]
    private let nowIndices: (short: Int, next: Int, long: Int, one: Int, horizon: Int)
    /// The window lengths of the short, the long and the immediate mean, in slots.
    private let spans: [Int]

    init(_ group: LinearGroup, among all: [Int]? = nil) {
        (seasons, horizon, linearLags) = (group.seasons, group.horizon, group.lags)
        let wanted = Self.lags(group)
        window = LagWindow(wanted, among: all)
        statics = base + horizon
        memories = statics + Self.staticCount
        shortLags = memories + Self.memoryCount
        doubleLags = shortLags + horizon + 2
        longLags = doubleLags + horizon
        phases = longLags + horizon
        count = phases + 2
        let (short, long) = (seasons.short, seasons.long)
        let window = window
        func index(_ lag: Int) -> Int { lag < 1 ? -1 : window.index(of: lag) ?? window.nearest(to: lag) }
        shortIndices = (0...horizon + 1).map { index($0 == 0 ? short : LinearGroup.seasonalLag(short, lead: $0)) }
        doubleIndices = (1...horizon).map { index(Self.doubleLag(short, $0)) }
        longIndices = (1...horizon).map {
            index(long > 0 ? LinearGroup.seasonalLag(long, lead: $0) : Self.doubleLag(short, $0))
        }
        nowIndices = (index(short), index(short - 1), index(long > 0 ? long : 2 * short), index(1), index(horizon))
        spans = Self.spans(seasons)
    }

    private static func doubleLag(_ short: Int, _ lead: Int) -> Int {
        short > 0 ? LinearGroup.seasonalLag(short, lead: lead) + short : 0
    }

    /// A day; a week, or three days if a day has many slots; six slots.
    private static func spans(_ seasons: Seasonality) -> [Int] {
        let short = seasons.short > 0 ? seasons.short : 24
        return [short, short < 288 ? 7 * short : 3 * short, 6]
    }

    /// The lags required: those of the linear base widened by the leads, so that its past errors can be computed from
    /// one window; those of the seasons; and a grid for the means.
    static func lags(_ group: LinearGroup) -> [Int] {
        let (short, long, horizon) = (group.seasons.short, group.seasons.long, group.horizon)
        var lags: Set<Int> = [1, horizon]
        for lag in [0] + group.lags { lags.formUnion(lag...lag + horizon) }
        if short > 0 {
            for lead in 0...horizon + 1 {
                let lag = lead == 0 ? short : LinearGroup.seasonalLag(short, lead: lead)
                lags.formUnion([lag, lag + short])
                if long > 0 { lags.insert(LinearGroup.seasonalLag(long, lead: lead)) }
            }
            lags.formUnion([short, 2 * short, long])
        }
        let longest = spans(group.seasons).max() ?? 0
        lags.formUnion(stride(from: 0, through: longest, by: max(1, spans(group.seasons)[0] / 24)))
        return lags.filter { $0 >= 1 && $0 <= 2_304 }.sorted()
    }

    // MARK: The linear part

    /// The number of outputs of ``cell(_:)``: base forecasts, four errors, three means.
    var linearCount: Int { horizon + 7 }

    /// A cell that computes from the window's differences, in one matrix product, for given weights of the base: the
    /// forecasts; the errors at the newest slot of the forecasts made 1, horizon and on average 1…horizon slots before;
    /// the mean error of the path forecast a horizon ago; and the three rolling means.
    func cell(_ weights: LinearWeights) throws(RecurrentError) -> DenseCell {
        let columns = linearCount
        var kernel = [Float](repeating: 0, count: window.count * columns)
        var bias = [Float](repeating: 0, count: columns)
        func add(_ lag: Int, _ column: Int, _ weight: Float) {
            guard lag > 0, let row = window.index(of: lag) else { return }
            kernel[row * columns + column] += weight
        }
        /// Adds `factor` times the forecast made `age` slots ago for `lead`.
        func addForecast(age: Int, lead: Int, to column: Int, _ factor: Float) {
            add(age, column, factor)
            for (index, lag) in linearLags.enumerated() {
                let weight = factor * weights.kernel[index * horizon + lead - 1]
                add(lag + age, column, weight)
                add(age, column, -weight)
            }
            bias[column] += factor * weights.bias[lead - 1]
        }
        let share = 1 / Float(horizon)
        for lead in 1...horizon {
            addForecast(age: 0, lead: lead, to: lead - 1, 1)
            addForecast(age: lead, lead: lead, to: horizon + 2, -share)
            addForecast(age: horizon, lead: lead, to: horizon + 3, -share)
            add(horizon - lead, horizon + 3, share)
        }
        addForecast(age: 1, lead: 1, to: horizon, -1)
        addForecast(age: horizon, lead: horizon, to: horizon + 1, -1)
        for (index, span) in spans.enumerated() {
            for lag in 1..<max(2, span) {
                add(window.lags[window.nearest(to: lag)], horizon + 4 + index, 1 / Float(span))
            }
        }
        return try DenseCell(
            kernel: Tensor(shape: [window.count, columns], values: kernel),
            bias: Tensor(shape: [columns], values: bias))
    }

    // MARK: One slot

    /// Writes a slot's numbers and updates its leaky means.
    ///
    /// - Parameters:
    ///   - d: the window's differences.
    ///   - linear: the outputs of ``cell(_:)`` for them.
    ///   - level: the difference of the last value from the series' median, in scales; zero for a series that was not
    ///     trained on.
    ///   - state: ``stateCount`` floats.
    func write(
        _ d: UnsafePointer<Float>, _ linear: UnsafePointer<Float>, isMissing: Bool, level: Float,
        phases phase: (Int, Int),
        state: UnsafeMutablePointer<Float>, to out: UnsafeMutablePointer<Float>
    ) {
        func at(_ index: Int) -> Float { index < 0 ? 0 : d[index] }
        let (short, long) = (linear[horizon + 4], linear[horizon + 5])
        out[0] = -long
        out[1] = -at(nowIndices.one)
        out[2] = -short
        out[3] = 0.2 * (level + long)
        out[4] = -at(nowIndices.short)
        out[5] = at(nowIndices.next)
        out[6] = -at(nowIndices.long)
        out[7] = isMissing ? 1 : 0
        let known: Float = isMissing ? 0 : 1
        let (one, last) = (known * linear[horizon], known * linear[horizon + 1])
        if !isMissing { updateMemory(one, last, state) }
        let e = out + errors
        (e[0], e[1], e[2], e[3]) = (one, last, known * linear[horizon + 2], linear[horizon + 3])
        e[4] = state[0]
        (e[5], e[6], e[7]) = (-at(nowIndices.short), -at(nowIndices.long), -at(nowIndices.one))
        e[8] = -at(nowIndices.horizon)
        for lead in 0..<horizon { out[base + lead] = linear[lead] }
        (out[statics], out[statics + 1]) = (at(nowIndices.short), at(nowIndices.long))
        for index in 0..<3 { out[statics + 2 + index] = linear[horizon + 4 + index] }
        for index in 0..<Self.memoryCount { out[memories + index] = state[2 + index] }
        for lead in 0..<horizon + 2 { out[shortLags + lead] = at(shortIndices[lead]) }
        for lead in 0..<horizon {
            out[doubleLags + lead] = at(doubleIndices[lead])
            out[longLags + lead] = at(longIndices[lead])
        }
        (out[phases], out[phases + 1]) = (Float(phase.0), Float(phase.1))
    }

    /// 1 − 2^(−1/n), for half-lives of n = 4, 24 and 168 slots.
    private static let rates: [Float] = [0.159_103_6, 0.028_468_2, 0.004_117_3]

    private func updateMemory(_ one: Float, _ last: Float, _ state: UnsafeMutablePointer<Float>) {
        let span = Float(seasons.short == 0 ? 64 : seasons.short < 288 ? 7 * seasons.short : 288)
        // A leaky sum has half the variance of a plain sum over the same number of slots.
        state[0] += (2 / span).squareRoot() * one - state[0] / span
        state[1] = min(state[1] + 1, 4_096)
        let (a, b) = (min(one.magnitude, 1e6), min(last.magnitude, 1e6))
        for (index, rate) in [0, 1, 2, 1, 2].enumerated() {
            let size = index < 3 ? a : b
            state[2 + index] += (size - state[2 + index]) * max(Self.rates[rate], 1 / state[1])
        }
    }

    /// The phases of a slot in the short and the long season, in slots.
    func phases(_ time: CalendarTime) -> (Int, Int) {
        let slot = Int64((Double(time.localSeconds) / Double(time.cadenceSeconds)).rounded(.down))
        func phase(_ season: Int) -> Int {
            guard season > 0 else { return 0 }
            let remainder = Int(slot % Int64(season))
            return remainder < 0 ? remainder + season : remainder
        }
        return (phase(seasons.short), phase(seasons.long))
    }
}
