/// Direct linear autoregression: ridge regression in closed form, one set of weights per lead.
public import Forecasting
import Recurrent

/// Forecasts every lead as the last value plus a weighted sum of the differences of the lags from it.
public struct LinearAR: TrainableMethod {
    public let manifest = Manifest(
        name: "linear", version: "1", summary: "direct linear autoregression on lags, in closed form",
        parameters: LinearOptions.descriptions)

    public init() {}

    public func load(weights: [UInt8], specification: ForecastSpecification) throws -> any ForecastModel {
        _ = try manifest.resolve(specification.parameters)
        do {
            let groups = try LinearGroup.groups(in: Safetensors(decoding: weights), specification)
            return try LinearARModel(groups, specification)
        } catch {
            throw ForecastingError.badWeights(method: manifest.name, reason: error.description)
        }
    }

    /// Ignores the earlier weights: a closed-form fit needs no starting point.
    public func train(
        _ panel: Panel, from: [UInt8]?, specification: ForecastSpecification,
        progress: (TrainingProgress) throws -> Void
    ) throws -> TrainedWeights {
        let options = LinearOptions(try manifest.resolve(specification.parameters))
        try progress(TrainingProgress(done: 0, total: 1, loss: 0))
        let groups: [LinearGroup]
        do {
            groups = try LinearGroup.fit(panel, specification, options, method: manifest.name).map(\.group)
        } catch let error as RecurrentError {
            throw ForecastingError.diverged(method: manifest.name, reason: error.description)
        }
        var tensors: [String: Tensor] = [:]
        for (index, group) in groups.enumerated() { tensors.merge(try group.tensors(index)) { $1 } }
        try progress(TrainingProgress(done: 1, total: 1, loss: 0))
        let own = groups.reduce(0) { $0 + $1.members.values.count { $0.own != nil } }
        return TrainedWeights(
            weights: try Safetensors(tensors).encoded(),
            metrics: ["groups": Double(groups.count), "own_weights": Double(own)])
    }
}
