/// The stateful LSTM forecaster: one step per slot, `h` and `c` carried from reading to reading.
public import Forecasting
import Recurrent

/// A stack of LSTM layers over a few scaled features, with a dense head for all leads and quantiles at once.
public struct LSTMMethod: TrainableMethod {
    public let manifest = Manifest(
        name: "lstm", version: "1", summary: "a stateful LSTM: h and c live on from reading to reading",
        parameters: [
            ParameterDescription("units", .integer(32), range: 1...1_024, "the length of h, of c and of each gate"),
            ParameterDescription("layers", .integer(1), range: 1...4, "LSTM layers on top of each other"),
            ParameterDescription("steps", .integer(400), range: 1...100_000, "optimizer steps at most"),
            ParameterDescription("batch", .integer(32), range: 1...1_024, "streams trained side by side"),
            ParameterDescription("chunk", .integer(32), range: 2...1_024, "slots between truncations of the gradient"),
            ParameterDescription("learning_rate", .number(0.004), range: 1e-6...1, "the peak of the cosine schedule"),
            ParameterDescription("weight_decay", .number(0.02), range: 0...1, "decoupled weight decay"),
            ParameterDescription("seed", .integer(1), range: 0...1e15, "equal seeds give equal weights"),
        ])

    public init() {}

    public func load(weights: [UInt8], specification: ForecastSpecification) throws -> any ForecastModel {
        let shape = try NetworkShape(manifest.resolve(specification.parameters), specification)
        do {
            return try LSTMModel(Network(decoding: weights, shape: shape))
        } catch let error as RecurrentError {
            throw ForecastingError.badWeights(method: manifest.name, reason: error.description)
        }
    }

    public func train(
        _ panel: Panel, from: [UInt8]?, specification: ForecastSpecification,
        progress: (TrainingProgress) throws -> Void
    ) throws -> TrainedWeights {
        let parameters = try manifest.resolve(specification.parameters)
        let shape = NetworkShape(parameters, specification)
        let start = try from.map { try Network(decoding: $0, shape: shape) }
        var trainer = try Trainer(shape, TrainingPlan(parameters), panel, specification, from: start)
        return try trainer.run(progress)
    }
}

extension Parameters {
    /// A resolved parameter; the manifest has already checked kind and range.
    func integer(_ name: String) -> Int { if case .integer(let value)? = self[name] { value } else { 0 } }
    func number(_ name: String) -> Float { if case .number(let value)? = self[name] { Float(value) } else { 0 } }
}
