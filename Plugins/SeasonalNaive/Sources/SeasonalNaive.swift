/// The seasonal naive forecaster: repeats the value of one season ago.
public import Forecasting
import TimeSeries

/// Forecasts each lead as the value one season before it; without a season, as the last value.
public struct SeasonalNaive: ForecastingMethod {
    public let manifest = Manifest(
        name: "seasonal-naive", version: "1", summary: "the value one season ago, or the last value",
        parameters: [
            ParameterDescription(
                "season", .integer(0), range: 0...2_304, "slots in one season; 0 repeats the last value")
        ])

    public init() {}

    public func load(weights: [UInt8], specification: ForecastSpecification) throws -> any ForecastModel {
        let parameters = try manifest.resolve(specification.parameters)
        guard case .integer(let season)? = parameters["season"] else {
            return SeasonalNaiveModel(season: 0, specification)
        }
        return SeasonalNaiveModel(season: season, specification)
    }
}

/// The model; its state, `[3]`, is the last value (NaN before the first), the running mean square of the one-step (or
/// one-season) error, and the number of errors seen, at most ``memory``.
final class SeasonalNaiveModel: ForecastModel {
    let stateCount = 3
    let lags: [Int]
    let initialState: [Float] = [.nan, 0, 0]
    private let season: Int
    private let horizon: Int
    private let normalQuantiles: [Float]
    /// The number of errors over which the running mean square is taken.
    private let memory: Float = 256

    init(season: Int, _ specification: ForecastSpecification) {
        self.season = season
        horizon = specification.horizon
        normalQuantiles = specification.quantiles.levels.map { Float(normalQuantile($0)) }
        // The target of lead l is lag `season - l` now; lag `season` gives the error of the newest slot.
        let nearest = max(1, season - specification.horizon)
        lags = season == 0 ? [] : Array(nearest...max(nearest, season))
    }

    var summary: String { season == 0 ? "the last value" : "the value \(season) slots ago" }

    func advance(_ batch: inout AdvanceBatch) {
        for row in 0..<batch.count {
            let value = batch.values[row]
            step(&batch, row, value)
            if batch.wantsForecasts { forecast(&batch, row, value) }
        }
    }

    private func step(_ batch: inout AdvanceBatch, _ row: Int, _ value: Float) {
        guard !value.isNaN else { return }
        let state = row * stateCount
        let expected = season == 0 ? batch.states[state] : lagged(batch, row, season)
        if !expected.isNaN {
            let error = value - expected
            let count = min(batch.states[state + 2] + 1, memory)
            batch.states[state + 1] += (error * error - batch.states[state + 1]) / count
            batch.states[state + 2] = count
        }
        batch.states[state] = value
    }

    private func lagged(_ batch: AdvanceBatch, _ row: Int, _ lag: Int) -> Float {
        guard let first = lags.first, lag >= first, lag - first < lags.count else { return .nan }
        return batch.lagged[row * lags.count + lag - first]
    }

    private func forecast(_ batch: inout AdvanceBatch, _ row: Int, _ value: Float) {
        let last = batch.states[row * stateCount]
        let spread = batch.states[row * stateCount + 1].squareRoot()
        let width = normalQuantiles.count
        for lead in 1...horizon {
            let (center, growth) = center(batch, row, lead, value, last)
            for (column, quantile) in normalQuantiles.enumerated() {
                batch.forecasts[(row * horizon + lead - 1) * width + column] = center + quantile * spread * growth
            }
        }
    }

    /// The value expected at `lead`, and the growth of its error relative to the one-step error.
    private func center(
        _ batch: AdvanceBatch, _ row: Int, _ lead: Int, _ value: Float, _ last: Float
    ) -> (Float, Float) {
        // A random walk's error grows with the square root of the lead; a seasonal forecast's error with that of the
        // number of seasons ahead.
        guard season > 0 else { return (last, Float(lead).squareRoot()) }
        let ahead = (lead + season - 1) / season
        let lag = ahead * season - lead
        let seen = lag == 0 ? value : lagged(batch, row, lag)
        return (seen.isNaN ? last : seen, Float(ahead).squareRoot())
    }
}
