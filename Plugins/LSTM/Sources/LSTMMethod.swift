/// The stateful LSTM forecaster: one step per slot, with `h` and `c` carried from reading to reading.
public import Forecasting
import LinearARForecaster
import Recurrent

/// A small LSTM over the errors of a linear base with a decoder shared by all leads (recipe `residual`), or a stack of LSTM
/// layers with a direct head for all leads and quantiles at once (`plain`).
public struct LSTMMethod: TrainableMethod {
    public let manifest = Manifest(
        name: "lstm", version: "2", summary: "a stateful LSTM: h and c are carried from reading to reading",
        parameters: [
            ParameterDescription(
                "recipe", .string("residual"), choices: ["residual", "plain"], aliases: ["d": "residual"],
                "an LSTM on a linear base, or LSTM layers with a direct head"),
            ParameterDescription(
                "units", .integer(0), range: 0...1_024, "the length of h, of c and of each gate; 0: 16, if plain 32"),
            ParameterDescription("layers", .integer(1), range: 1...4, "stacked LSTM layers, if plain"),
            ParameterDescription(
                "steps", .integer(0), range: 0...100_000,
                "optimizer steps of a group trained alone; 0: 120 for one series, 250 to 500 for more, 400 if plain"),
            ParameterDescription(
                "batch", .integer(0), range: 0...1_024, "streams trained in parallel; 0: 64, if plain 32"),
            ParameterDescription(
                "chunk", .integer(0), range: 0...1_024, "slots between truncations of the gradient; 0: 96, if plain 32"),
            ParameterDescription("learning_rate", .number(0.004), range: 1e-6...1, "the peak of the cosine schedule"),
            ParameterDescription("weight_decay", .number(0.02), range: 0...1, "decoupled weight decay"),
            ParameterDescription("seed", .integer(1), range: 0...1e15, "equal seeds give equal weights"),
        ] + RecipePlan.descriptions + LinearOptions.descriptions)

    public init() {}

    /// Replaces zeros by the defaults of the recipe, so that parameters mean the same with and without defaults filled
    /// in.
    private func resolve(_ given: Parameters) throws -> (parameters: Parameters, isPlain: Bool) {
        var parameters = try manifest.resolve(given)
        let isPlain = parameters["recipe"] == .string("plain")
        for (name, value) in isPlain ? PlainPlan.defaults : RecipePlan.defaults where parameters[name] == .integer(0) {
            parameters[name] = value
        }
        guard case .integer(2...)? = parameters["chunk"] else {
            throw ForecastingError.badParameter(
                "chunk", method: manifest.name, expected: "0, or a whole number from 2 to 1024", found: "1")
        }
        return (parameters, isPlain)
    }

    public func load(weights: [UInt8], specification: ForecastSpecification) throws -> any ForecastModel {
        let (parameters, isPlain) = try resolve(specification.parameters)
        do {
            if isPlain {
                return try PlainModel(PlainNetwork(decoding: weights, shape: PlainShape(parameters, specification)))
            }
            return try RecipeModel(Safetensors(decoding: weights), RecipePlan(parameters), specification)
        } catch {
            throw ForecastingError.badWeights(method: manifest.name, reason: error.description)
        }
    }

    public func train(
        _ panel: Panel, from: [UInt8]?, specification: ForecastSpecification,
        progress: (TrainingProgress) throws -> Void
    ) throws -> TrainedWeights {
        let (parameters, isPlain) = try resolve(specification.parameters)
        guard isPlain else {
            do {
                return try RecipeTraining(plan: RecipePlan(parameters), specification: specification)
                    .run(panel, from: from, progress)
            } catch let error as RecurrentError {
                throw ForecastingError.diverged(method: manifest.name, reason: error.description)
            }
        }
        let shape = PlainShape(parameters, specification)
        var start: PlainNetwork?
        do {
            start = try from.map { try PlainNetwork(decoding: $0, shape: shape) }
        } catch let error as RecurrentError {
            let note = TrainingNote.beginsAnew(.tensors(error.description))
            try progress(TrainingProgress(done: 0, total: 0, loss: 0, note: note))
        }
        var trainer = try PlainTrainer(shape, PlainPlan(parameters), panel, specification, from: start)
        return try trainer.run(progress)
    }
}

extension Parameters {
    /// A resolved parameter; the manifest has already checked its kind and range.
    func integer(_ name: String) -> Int { if case .integer(let value)? = self[name] { value } else { 0 } }
    func number(_ name: String) -> Float { if case .number(let value)? = self[name] { Float(value) } else { 0 } }
}
