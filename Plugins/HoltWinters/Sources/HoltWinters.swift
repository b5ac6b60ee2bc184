/// Holt-Winters: exponential smoothing of level, damped trend and, optionally, season.
public import Forecasting
import TimeSeries

/// Additive Holt-Winters with a damped trend (Gardner and McKenzie, 1985).
public struct HoltWinters: ForecastingMethod {
    public let manifest = Manifest(
        name: "holt-winters", version: "1", summary: "exponential smoothing of level, damped trend and season",
        parameters: [
            ParameterDescription("alpha", .number(0.3), range: 0.001...1, "smoothing of the level"),
            ParameterDescription("beta", .number(0.05), range: 0...1, "smoothing of the trend, as a fraction of alpha"),
            ParameterDescription("gamma", .number(0.1), range: 0...1, "smoothing of the season"),
            ParameterDescription("phi", .number(0.9), range: 0...1, "damping of the trend per slot"),
            ParameterDescription("season", .integer(0), range: 0...2_304, "slots in one season; 0 for none"),
        ])

    public init() {}

    public func load(weights: [UInt8], specification: ForecastSpecification) throws -> any ForecastModel {
        let parameters = try manifest.resolve(specification.parameters)
        func number(_ name: String) -> Float {
            guard case .number(let value)? = parameters[name] else { return 0 }
            return Float(value)
        }
        guard case .integer(let season)? = parameters["season"] else {
            throw ForecastingError.badParameter(
                "season", method: manifest.name, expected: "a whole number", found: "nil")
        }
        return HoltWintersModel(
            alpha: number("alpha"), beta: number("beta"), gamma: number("gamma"), phi: number("phi"), season: season,
            specification)
    }
}

/// The model; its state, `[5 + season]`, is the level (NaN before the first value), the trend, the mean square of the
/// one-step error, the number of errors seen, the phase in the season, and the seasonal terms.
final class HoltWintersModel: ForecastModel {
    let lags: [Int] = []
    let stateCount: Int
    private let alpha: Float
    private let beta: Float
    private let gamma: Float
    private let season: Int
    private let horizon: Int
    private let normalQuantiles: [Float]
    /// φ + φ² + … + φ^l for lead l.
    private let damping: [Float]
    /// √Var(lead l) / √Var(lead 1): Hyndman et al., "Forecasting with Exponential Smoothing" (2008), table 6.1.
    private let growth: [Float]
    private let memory: Float = 256

    init(
        alpha: Float, beta: Float, gamma: Float, phi: Float, season: Int, _ specification: ForecastSpecification
    ) {
        (self.alpha, self.beta, self.gamma, self.season) = (alpha, beta, gamma, season)
        horizon = specification.horizon
        stateCount = 5 + season
        normalQuantiles = specification.quantiles.levels.map { Float(normalQuantile($0)) }
        var (power, sum, variance) = (Float(1), Float(0), Float(1))
        var (damping, growth): ([Float], [Float]) = ([], [])
        for lead in 1...specification.horizon {
            power *= phi
            sum += power
            damping.append(sum)
            growth.append(variance.squareRoot())
            let seasonal = season > 0 && lead % season == 0 ? gamma : 0
            let weight = alpha + alpha * beta * sum + seasonal
            variance += weight * weight
        }
        (self.damping, self.growth) = (damping, growth)
    }

    var initialState: [Float] { [.nan] + [Float](repeating: 0, count: stateCount - 1) }
    var summary: String {
        season == 0 ? "level and damped trend" : "level, damped trend and a season of \(season) slots"
    }

    func advance(_ batch: inout AdvanceBatch) {
        let phi = damping[0]
        for row in 0..<batch.count {
            let start = row * stateCount
            step(&batch.states, start, batch.values[row], phi)
            if batch.wantsForecasts { forecast(&batch, row, start) }
        }
    }

    private func step(_ states: inout [Float], _ start: Int, _ value: Float, _ phi: Float) {
        let phase = phase(states[start + 4])
        if season > 0 { states[start + 4] = Float((phase + 1) % season) }
        let level = states[start]
        guard !level.isNaN else {
            if !value.isNaN { states[start] = value }
            return
        }
        let trend = phi * states[start + 1]
        let seasonal = season > 0 ? states[start + 5 + phase] : 0
        guard !value.isNaN else {
            states[start] = level + trend
            states[start + 1] = trend
            return
        }
        let error = value - (level + trend + seasonal)
        states[start] = level + trend + alpha * error
        states[start + 1] = trend + alpha * beta * error
        if season > 0 { states[start + 5 + phase] = seasonal + gamma * error }
        let count = min(states[start + 3] + 1, memory)
        states[start + 2] += (error * error - states[start + 2]) / count
        states[start + 3] = count
    }

    /// The index in the season that a state says; a damaged state must not trap.
    private func phase(_ stored: Float) -> Int { max(0, min(Int(exactly: stored.rounded()) ?? 0, season - 1)) }

    private func forecast(_ batch: inout AdvanceBatch, _ row: Int, _ start: Int) {
        let level = batch.states[start]
        let trend = batch.states[start + 1]
        let spread = batch.states[start + 2].squareRoot()
        let phase = phase(batch.states[start + 4])
        let width = normalQuantiles.count
        for lead in 0..<horizon {
            let seasonal = season > 0 ? batch.states[start + 5 + (phase + lead) % season] : 0
            let center = level + damping[lead] * trend + seasonal
            for (column, quantile) in normalQuantiles.enumerated() {
                batch.forecasts[(row * horizon + lead) * width + column] = center + quantile * spread * growth[lead]
            }
        }
    }
}
