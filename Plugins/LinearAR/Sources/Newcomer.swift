package import Forecasting

/// What is known of a series whatever the weights say: the running scale and the last value, three floats of its state.
///
/// A series that was not in the training panel is scaled by it, and forecast as one season ago until two were seen.
package struct RunningScale {
    package static let count = 3
    package static let initial: [Float] = [0, 0, .nan]
    /// How many differences the mean looks back on.
    static let memory: Float = 2_048

    /// The mean absolute difference over one season.
    package var scale: Float
    package var seen: Float
    /// The newest value; NaN before the first.
    package var last: Float

    package init() { (scale, seen, last) = (0, 0, .nan) }
    package init(_ state: UnsafePointer<Float>) { (scale, seen, last) = (state[0], state[1], state[2]) }

    package func store(to state: UnsafeMutablePointer<Float>) { (state[0], state[1], state[2]) = (scale, seen, last) }

    /// Takes the slot's value, and the one a season before it.
    package mutating func take(_ value: Float, seasonal: Float) {
        guard value.isFinite else { return }
        if seasonal.isFinite || last.isFinite {
            seen = min(seen + 1, Self.memory)
            scale += ((value - (seasonal.isFinite ? seasonal : last)).magnitude - scale) / seen
        }
        last = value
    }

    /// Never zero, so that constant series divide too.
    package var divisor: Float { max(scale, 1e-6 * (last.isFinite ? last.magnitude : 1), 1e-12) }
}

/// The seasonal naive forecast: what was seen one season ago is seen again.
package struct SeasonalFallback: Sendable {
    private let places: [Int?]
    private let twoSeasons: [Int]
    private let growth: [Float]
    private let normalQuantiles: [Float]
    /// The place of the value one season ago; nil without a season.
    package let seasonPlace: Int?

    /// The lags it reads.
    package static func lags(_ seasons: Seasonality, horizon: Int) -> [Int] {
        let naive = (1...horizon).map { LinearGroup.seasonalLag(seasons.short, lead: $0) }
        return (naive + [seasons.short]).filter { $0 > 0 }
    }

    /// - Parameter lags: the model's.
    package init(_ seasons: Seasonality, _ specification: ForecastSpecification, among lags: [Int]) {
        let places = Dictionary(uniqueKeysWithValues: lags.enumerated().map { ($1, $0) })
        let leads = 1...specification.horizon
        self.places = leads.map { places[LinearGroup.seasonalLag(seasons.short, lead: $0)] }
        seasonPlace = places[seasons.short]
        let needed = min(seasons.short > 0 ? 2 * seasons.short : 24, lags.last ?? 0)
        twoSeasons = lags.indices.filter { lags[$0] >= needed }
        growth = leads.map { lead in
            Float(seasons.short > 0 ? (lead + seasons.short - 1) / seasons.short : lead).squareRoot()
        }
        normalQuantiles = specification.quantiles.levels.map { Float(normalQuantile($0)) }
    }

    /// Whether two seasons were seen.
    package func isSettled(_ lagged: UnsafePointer<Float>) -> Bool { twoSeasons.contains { lagged[$0].isFinite } }

    /// The value expected at each lead; `last` where there is none.
    package func center(_ lagged: UnsafePointer<Float>, last: Float, lead: Int) -> Float {
        guard let place = places[lead - 1], lagged[place].isFinite else { return last }
        return lagged[place]
    }

    /// Writes `[horizon][quantiles]`: normal around that value, with the running mean absolute error as spread.
    package func write(
        _ lagged: UnsafePointer<Float>, _ running: RunningScale, last: Float, to out: UnsafeMutablePointer<Float>
    ) {
        // A normal's mean absolute deviation is √(2/π) of its standard deviation.
        let spread = 1.2533141 * running.scale
        for lead in 1...growth.count {
            let middle = center(lagged, last: last, lead: lead)
            for (column, quantile) in normalQuantiles.enumerated() {
                out[(lead - 1) * normalQuantiles.count + column] = middle + quantile * spread * growth[lead - 1]
            }
        }
    }
}
