package import Forecasting
package import LinearARForecaster

/// Hyperparameters of the recipe.
package struct RecipePlan: Sendable {
    let units: Int
    let denseUnits: Int
    let decoderUnits: Int
    let embedding: Int
    private let steps: Int
    let poolSteps: Int
    let fineTuningSteps: Int
    let fineTuningRate: Float
    let batch: Int
    let chunk: Int
    let carry: Int
    let positions: Int
    let learningRate: Float
    let weightDecay: Float
    let dropout: Float
    let noise: Float
    let validation: Double
    let seed: UInt64
    let seeds: Int
    let trainsTwin: Bool
    let trainsUnsquashed: Bool
    package let linear: LinearOptions

    package init(_ parameters: Parameters) {
        units = parameters.integer("units")
        denseUnits = parameters.integer("dense_units")
        decoderUnits = parameters.integer("decoder_units")
        embedding = parameters.integer("embedding")
        steps = parameters.integer("steps")
        poolSteps = parameters.integer("pool_steps")
        fineTuningSteps = parameters.integer("fine_tuning_steps")
        fineTuningRate = parameters.number("fine_tuning_rate")
        batch = parameters.integer("batch")
        chunk = parameters.integer("chunk")
        carry = parameters.integer("carry")
        positions = parameters.integer("positions")
        learningRate = parameters.number("learning_rate")
        weightDecay = parameters.number("weight_decay")
        dropout = parameters.number("dropout")
        noise = parameters.number("noise")
        validation = Double(parameters.number("validation"))
        seed = UInt64(clamping: parameters.integer("seed"))
        seeds = parameters.integer("seeds")
        trainsTwin = parameters["twin"] != .boolean(false)
        trainsUnsquashed = parameters["unsquashed"] != .boolean(false)
        linear = LinearOptions(parameters)
    }

    /// The optimizer steps for a group trained alone.
    ///
    /// By default they grow with the square root of the number of series: one series is overfitted after 250 steps,
    /// thirty are still underfitted.
    func steps(series count: Int) -> Int {
        if steps > 0 { return steps }
        return count < 2 ? 120 : max(250, min(500, Int(120 * Double(count).squareRoot())))
    }

    /// The optimizer steps when training continues from an earlier version, which only has to learn the newest
    /// readings.
    func continuedSteps(series count: Int) -> Int { max(1, Int(Self.continuedShare * Double(steps(series: count)))) }
    private static let continuedShare = 0.5

    /// The values that replace zeros in this recipe.
    static let defaults: Parameters = ["units": .integer(16), "batch": .integer(64), "chunk": .integer(96)]

    static let descriptions = [
        ParameterDescription("dense_units", .integer(32), range: 1...512, "the width of the memoryless layer"),
        ParameterDescription("decoder_units", .integer(32), range: 1...512, "the width of the decoder"),
        ParameterDescription("embedding", .integer(4), range: 1...64, "numbers learned for each series"),
        ParameterDescription("pool_steps", .integer(900), range: 0...100_000, "optimizer steps that groups share"),
        ParameterDescription("fine_tuning_steps", .integer(200), range: 0...100_000, "steps of each group after them"),
        ParameterDescription("fine_tuning_rate", .number(0.5), range: 0...1, "their learning rate, as a multiplier"),
        ParameterDescription("carry", .integer(8), range: 1...1_024, "chunks before a stream restarts elsewhere"),
        ParameterDescription("positions", .integer(6), range: 1...1_024, "slots scored in each chunk of a stream"),
        ParameterDescription("dropout", .number(0.2), range: 0...0.9, "of the decoder's inputs from state and series"),
        ParameterDescription("noise", .number(0.3), range: 0...10, "standard deviation of the noise on inputs"),
        ParameterDescription("validation", .number(0), range: 0...0.5, "the last fraction for early stopping; 0: none"),
        ParameterDescription("seeds", .integer(1), range: 1...8, "networks of each kind, from different seeds"),
        ParameterDescription("twin", .boolean(true), "whether the memoryless twin is trained too"),
        ParameterDescription("unsquashed", .boolean(true), "whether networks with linear features are trained too"),
    ]
}
