package import Forecasting

/// The part of a series' state that is independent of the weights: the running scale and the last value, three floats.
///
/// A series that was not in the training panel is scaled by it, and forecast by the seasonal naive method until two
/// seasons have been seen.
package struct RunningScale {
    package static let count = 3
    package static let initial: [Float] = [0, 0, .nan]
    /// The number of differences over which the mean is taken.
    static let memory: Float = 2_048

    /// The mean absolute difference over one season.
    package var scale: Float
    package var seen: Float
    /// The newest value; NaN before the first.
    package var last: Float

    package init() { (scale, seen, last) = (0, 0, .nan) }
    package init(_ state: UnsafePointer<Float>) { (scale, seen, last) = (state[0], state[1], state[2]) }

    package func store(to state: UnsafeMutablePointer<Float>) { (state[0], state[1], state[2]) = (scale, seen, last) }

    /// Updates the scale with the slot's value and the value one season before it.
    package mutating func observe(_ value: Float, seasonal: Float) {
        guard value.isFinite else { return }
        if seasonal.isFinite || last.isFinite {
            seen = min(seen + 1, Self.memory)
            scale += ((value - (seasonal.isFinite ? seasonal : last)).magnitude - scale) / seen
        }
        last = value
    }

    /// The scale for divisions: never zero, so that constant series work too.
    package var divisor: Float { max(scale, 1e-6 * (last.isFinite ? last.magnitude : 1), 1e-12) }
}

/// The seasonal naive forecast: repeats the value of one season ago.
package struct SeasonalFallback: Sendable {
    private let lagIndices: [Int?]
    private let twoSeasons: [Int]
    private let growth: [Float]
    private let normalQuantiles: [Float]
    /// The index of the value one season ago; nil without a season.
    package let seasonIndex: Int?

    /// The lags that the forecast reads.
    package static func lags(_ seasons: Seasonality, horizon: Int) -> [Int] {
        let naive = (1...horizon).map { LinearGroup.seasonalLag(seasons.short, lead: $0) }
        return (naive + [seasons.short]).filter { $0 > 0 }
    }

    /// - Parameter lags: the lags of the model.
    package init(_ seasons: Seasonality, _ specification: ForecastSpecification, among lags: [Int]) {
        let indexOfLag = Dictionary(uniqueKeysWithValues: lags.enumerated().map { ($1, $0) })
        let leads = 1...specification.horizon
        lagIndices = leads.map { indexOfLag[LinearGroup.seasonalLag(seasons.short, lead: $0)] }
        seasonIndex = indexOfLag[seasons.short]
        let needed = min(seasons.short > 0 ? 2 * seasons.short : 24, lags.last ?? 0)
        twoSeasons = lags.indices.filter { lags[$0] >= needed }
        growth = leads.map { lead in
            Float(seasons.short > 0 ? (lead + seasons.short - 1) / seasons.short : lead).squareRoot()
        }
        normalQuantiles = specification.quantiles.levels.map { Float(normalQuantile($0)) }
    }

    /// Whether two seasons have been seen.
    package func hasTwoSeasons(_ lagged: UnsafePointer<Float>) -> Bool { twoSeasons.contains { lagged[$0].isFinite } }

    /// The value expected at each lead; `last` if there is none.
    package func center(_ lagged: UnsafePointer<Float>, last: Float, lead: Int) -> Float {
        guard let index = lagIndices[lead - 1], lagged[index].isFinite else { return last }
        return lagged[index]
    }

    /// Writes `[horizon][quantiles]`: a normal distribution around that value, with its spread from the running mean
    /// absolute error.
    package func write(
        _ lagged: UnsafePointer<Float>, _ running: RunningScale, last: Float, to out: UnsafeMutablePointer<Float>
    ) {
        // The mean absolute deviation of a normal distribution is √(2/π) of its standard deviation.
        let spread = 1.2533141 * running.scale
        for lead in 1...growth.count {
            let middle = center(lagged, last: last, lead: lead)
            for (column, quantile) in normalQuantiles.enumerated() {
                out[(lead - 1) * normalQuantiles.count + column] = middle + quantile * spread * growth[lead - 1]
            }
        }
    }
}
