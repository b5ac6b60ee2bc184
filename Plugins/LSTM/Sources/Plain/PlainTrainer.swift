internal import CRecurrentKernels
import Forecasting
import Recurrent

/// Hyperparameters of a training run.
struct PlainPlan: Sendable {
    let steps: Int
    let batch: Int
    let chunk: Int
    let learningRate: Float
    let weightDecay: Float
    let seed: UInt64

    init(_ parameters: Parameters) {
        steps = parameters.integer("steps")
        batch = parameters.integer("batch")
        chunk = parameters.integer("chunk")
        learningRate = parameters.number("learning_rate")
        weightDecay = parameters.number("weight_decay")
        seed = UInt64(clamping: parameters.integer("seed"))
    }

    /// The values that replace zeros in this recipe.
    static let defaults: Parameters = [
        "units": .integer(32), "steps": .integer(400), "batch": .integer(32), "chunk": .integer(32),
    ]
    /// The fraction at the end of every series that is used for early stopping.
    static let validation = 0.15
    /// The number of optimizer steps between two evaluations.
    static let evaluationInterval = 40
    /// The number of evaluations without improvement before training stops.
    static let patience = 4
    /// The number of steps after a reset in the middle of a series whose outputs are not scored, while the state warms
    /// up.
    static let burnIn = 8
    static let minimumSlots = 48
}

/// Truncated backpropagation with carried state over streams of many series, as Keras trains `stateful=True`.
struct PlainTrainer {
    private let shape: PlainShape
    private let plan: PlainPlan
    private let panel: Panel
    private let specification: ForecastSpecification
    private let series: [PlainSeries]
    private let timesteps: Int
    private var random: RandomSource
    private let network: PlainNetwork
    private var optimizer: Optimizer
    private var streams: [PlainStream] = []

    init(
        _ shape: PlainShape, _ plan: PlainPlan, _ panel: Panel, _ specification: ForecastSpecification,
        from: PlainNetwork?
    ) throws {
        let longest = panel.series.map(\.values.count).max() ?? 0
        guard longest >= PlainPlan.minimumSlots else {
            throw ForecastingError.tooLittleHistory(method: "lstm", found: longest, needed: PlainPlan.minimumSlots)
        }
        (self.shape, self.plan, self.panel, self.specification) = (shape, plan, panel, specification)
        random = RandomSource(seed: plan.seed)
        network = try from ?? PlainNetwork(shape, &random)
        optimizer = Self.optimizer(plan)
        timesteps = min(plan.chunk, longest / 3)
        let chunk = timesteps
        series = panel.droppingLast(fraction: PlainPlan.validation).series
            .map { PlainSeries($0) }.filter { $0.count > chunk }
        for _ in 0..<plan.batch { streams.append(newStream()) }
    }

    private static func optimizer(_ plan: PlainPlan) -> Optimizer {
        let warmUp = min(20, plan.steps)
        return Optimizer(
            .adamW(weightDecay: plan.weightDecay),
            learningRate: .cosine(
                initial: plan.learningRate / Float(warmUp), decaySteps: plan.steps - warmUp,
                warmUp: .init(to: plan.learningRate, steps: warmUp)),
            clipping: .globalNorm(1))
    }

    /// Trains until the validation loss stops falling, and returns the best weights.
    mutating func run(_ progress: (TrainingProgress) throws -> Void) throws -> TrainedWeights {
        var best = (loss: Double.infinity, weights: try network.encoded(), step: 0)
        var evaluationsWithoutImprovement = 0
        var recent = 0.0
        for step in 0..<plan.steps {
            let loss = try self.step()
            guard loss.isFinite else {
                throw ForecastingError.diverged(method: "lstm", reason: "the loss became \(loss) at step \(step)")
            }
            recent = step == 0 ? loss : 0.9 * recent + 0.1 * loss
            guard (step + 1) % PlainPlan.evaluationInterval == 0 || step + 1 == plan.steps else { continue }
            try progress(TrainingProgress(done: step + 1, total: plan.steps, loss: recent))
            let validation = try validationLoss()
            evaluationsWithoutImprovement = validation < best.loss ? 0 : evaluationsWithoutImprovement + 1
            if validation < best.loss { best = (validation, try network.encoded(), step + 1) }
            if evaluationsWithoutImprovement >= PlainPlan.patience { break }
        }
        guard best.loss.isFinite else {
            throw ForecastingError.diverged(method: "lstm", reason: "no step gave a finite validation loss")
        }
        return TrainedWeights(
            weights: best.weights,
            metrics: ["validation_loss": best.loss, "training_loss": recent, "best_step": Double(best.step)])
    }

    private mutating func newStream() -> PlainStream {
        let index = Int(random.next() % UInt64(series.count))
        let positions = series[index].count - timesteps
        return PlainStream(series: index, position: Int(random.next() % UInt64(positions)))
    }

    private func validationLoss() throws -> Double {
        let model = try PlainModel(network)
        let scores = Contest(panel: panel, holdout: PlainPlan.validation)
            .scores(of: model, specification: specification)
        let losses = scores.compactMap { $0?.pinball }
        return losses.isEmpty ? .nan : losses.reduce(0, +) / Double(losses.count)
    }

    // MARK: One step

    /// Runs forward and backward over one chunk of every stream, then makes one optimizer step.
    private mutating func step() throws -> Double {
        let features = try chunkFeatures()
        var below = features
        for layer in network.layers { below = try layer.forward(below, mask: nil, training: true) }
        let outputs = try network.head.forward(headInputs(below, features), mask: nil, training: true)
        let (loss, outputGradient) = lossGradient(outputs.values)
        guard
            let inputGradient = try network.head.backward(
                Tensor(shape: outputs.shape, values: outputGradient), wantsInputGradient: true)
        else { return loss }
        var gradient: Tensor? = try recurrentPart(inputGradient)
        for (index, layer) in network.layers.enumerated().reversed() {
            if let above = gradient { gradient = try layer.backward(above, wantsInputGradient: index > 0) }
        }
        try optimizer.apply(to: network.parameters)
        try advanceStreams()
        return loss
    }

    /// `[batch, timesteps, features]`.
    private func chunkFeatures() throws(RecurrentError) -> Tensor {
        var x: [Float] = []
        x.reserveCapacity(timesteps * plan.batch * PlainFeatures.count)
        for stream in streams {
            let start = stream.position * PlainFeatures.count
            x += series[stream.series].features[start..<start + timesteps * PlainFeatures.count]
        }
        return try Tensor(shape: [plan.batch, timesteps, PlainFeatures.count], values: x)
    }

    /// `[batch, timesteps, units + features]`.
    private func headInputs(_ h: Tensor, _ features: Tensor) throws(RecurrentError) -> Tensor {
        var inputs: [Float] = []
        inputs.reserveCapacity(timesteps * plan.batch * shape.headInputs)
        for row in 0..<timesteps * plan.batch {
            inputs += h.values[row * shape.units..<(row + 1) * shape.units]
            inputs += features.values[row * PlainFeatures.count..<(row + 1) * PlainFeatures.count]
        }
        return try Tensor(shape: [plan.batch, timesteps, shape.headInputs], values: inputs)
    }

    /// The mean pinball loss over all available targets, and its derivative with respect to the outputs.
    private func lossGradient(_ outputs: [Float]) -> (Double, [Float]) {
        var gradient = [Float](repeating: 0, count: outputs.count)
        var (sum, count) = (Float(0), 0)
        let width = shape.quantiles.count
        for (row, stream) in streams.enumerated() {
            for time in 0..<timesteps where stream.position == 0 || stream.age + time >= PlainPlan.burnIn {
                let source = series[stream.series]
                for lead in 1...shape.horizon {
                    guard let target = source.target(at: stream.position + time, lead: lead) else { continue }
                    let start = (row * timesteps + time) * shape.outputs + (lead - 1) * width
                    for (index, level) in shape.quantiles.enumerated() {
                        let difference = target - outputs[start + index]
                        let slope = crk_pinball_slope(level, difference)
                        sum += slope * difference
                        gradient[start + index] = -slope
                    }
                    count += width
                }
            }
        }
        let scale = 1 / Float(max(1, count))
        for index in gradient.indices { gradient[index] *= scale }
        return (Double(sum * scale), gradient)
    }

    /// The columns of the head's input gradient that belong to `h`.
    private func recurrentPart(_ gradient: Tensor) throws(RecurrentError) -> Tensor {
        let width = shape.headInputs
        let values = (0..<timesteps * plan.batch).flatMap { gradient.values[$0 * width..<$0 * width + shape.units] }
        return try Tensor(shape: [plan.batch, timesteps, shape.units], values: values)
    }

    /// Advances every stream by one chunk, while the layers carry the states; a stream at the end of its series
    /// restarts elsewhere.
    private mutating func advanceStreams() throws(RecurrentError) {
        var fresh: [Int] = []
        for row in streams.indices {
            streams[row].position += timesteps
            streams[row].age += timesteps
            if streams[row].position + timesteps >= series[streams[row].series].count {
                streams[row] = newStream()
                fresh.append(row)
            }
        }
        if fresh.isEmpty { return }
        for layer in network.layers {
            guard let state = layer.state else { continue }
            try layer.resetStates(
                to: LSTM.State(h: cleared(state.h, rows: fresh), c: cleared(state.c, rows: fresh)))
        }
    }

    private func cleared(_ state: Tensor, rows: [Int]) throws(RecurrentError) -> Tensor {
        var values = state.values
        for row in rows {
            for unit in 0..<shape.units { values[row * shape.units + unit] = 0 }
        }
        return try Tensor(shape: state.shape, values: values)
    }
}
