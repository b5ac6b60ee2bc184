import Forecasting

/// How the plugin of a world behaves at present.
///
/// `@unchecked Sendable`: used only by the thread that runs the simulation.
final class PluginState: @unchecked Sendable {
    /// Whether it is dead or hangs: no answer.
    var isAbsent = false
    /// Whether it can be started.
    var loads = true
}

/// A forecasting method that stands for a plugin in a process of its own: it forecasts the running mean, or gives no
/// answer.
///
/// At some slots its forecasts are not finite or absurdly large, always at the same ones: a plugin is a pure function,
/// or no replay of it could be the same.
struct Fickle: ForecastingMethod {
    let manifest = Manifest(
        name: "fickle", version: "1", summary: "the running mean, from a plugin that may fail",
        parameters: [ParameterDescription("memory", .integer(8), range: 1...1_000, "slots that the mean remembers")])
    let state: PluginState

    func load(weights: [UInt8], specification: ForecastSpecification) throws -> any ForecastModel {
        guard state.loads else { throw ForecastingError.badWeights(method: "fickle", reason: "it does not start") }
        let parameters = try manifest.resolve(specification.parameters)
        guard case .integer(let memory)? = parameters["memory"] else { return FickleModel(state, 8, specification) }
        return FickleModel(state, memory, specification)
    }
}

/// `@unchecked Sendable`: `state` is used only by the thread that runs the simulation.
private final class FickleModel: ForecastModel, @unchecked Sendable {
    let stateCount = 2
    let lags = [1, 7]
    let initialState: [Float] = [0, 0]
    let summary = "the running mean"
    private let state: PluginState
    private let weight: Float
    private let horizon: Int
    private let width: Int

    init(_ state: PluginState, _ memory: Int, _ specification: ForecastSpecification) {
        self.state = state
        weight = 1 / Float(memory)
        (horizon, width) = (specification.horizon, specification.quantiles.count)
    }

    func advance(_ batch: inout AdvanceBatch) {
        guard !state.isAbsent else {
            for row in 0..<batch.count { batch.absent[row] = true }
            return
        }
        for row in 0..<batch.count {
            let (value, start) = (batch.values[row], row * stateCount)
            if !value.isNaN {
                batch.states[start] += (value - batch.states[start]) * weight
                let lagged = batch.lagged[row * 2 + 1]
                batch.states[start + 1] = lagged.isNaN ? 0 : value - lagged
            }
            guard batch.wantsForecasts else { continue }
            for lead in 0..<horizon {
                for column in 0..<width {
                    let center = batch.states[start] + batch.states[start + 1] * Float(lead) * 0.125
                    let spread = Float(column) - Float(width / 2)
                    batch.forecasts[(row * horizon + lead) * width + column] = lied(
                        center + spread, at: batch.slots[row])
                }
            }
        }
    }

    private func lied(_ value: Float, at slot: Int64) -> Float {
        slot % 13 == 5 ? .nan : slot % 17 == 3 ? 1e36 : value
    }
}
