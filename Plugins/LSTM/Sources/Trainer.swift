import Forecasting
import Recurrent

/// The knobs of a training run.
struct TrainingPlan: Sendable {
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

    /// The last part of every series, which early stopping looks at.
    static let validation = 0.15
    /// Optimizer steps between two looks.
    static let evaluationInterval = 40
    /// Looks without improvement before training stops.
    static let patience = 4
    /// Steps after a reset in the middle of a series whose outputs are not scored: the state has to find its way first.
    static let settling = 8
    static let leastSlots = 48
}

/// Truncated back-propagation with carried state over streams of many series, as Keras trains `stateful=True`.
struct Trainer {
    private let shape: NetworkShape
    private let plan: TrainingPlan
    private let panel: Panel
    private let specification: ForecastSpecification
    private let series: [PreparedSeries]
    private let timesteps: Int
    private var random: RandomSource
    private var weights: NetworkWeights
    private var optimizer: AdamW
    private var streams: [Stream] = []

    init(
        _ shape: NetworkShape, _ plan: TrainingPlan, _ panel: Panel, _ specification: ForecastSpecification,
        from: NetworkWeights?
    ) throws {
        let longest = panel.series.map(\.values.count).max() ?? 0
        guard longest >= TrainingPlan.leastSlots else {
            throw ForecastingError.tooLittleHistory(method: "lstm", found: longest, needed: TrainingPlan.leastSlots)
        }
        (self.shape, self.plan, self.panel, self.specification) = (shape, plan, panel, specification)
        random = RandomSource(seed: plan.seed)
        weights = try from ?? NetworkWeights(shape, &random)
        optimizer = AdamW(weightDecay: plan.weightDecay, clipNorm: 1)
        timesteps = min(plan.chunk, longest / 3)
        let chunk = timesteps
        series = panel.droppingLast(fraction: TrainingPlan.validation).series
            .map { PreparedSeries($0) }.filter { $0.count > chunk }
        for _ in 0..<plan.batch { streams.append(newStream()) }
    }

    /// Trains until the validation loss stops falling, and returns the best weights.
    mutating func run(_ progress: (TrainingProgress) throws -> Void) throws -> TrainedWeights {
        let schedule = CosineSchedule(peak: plan.learningRate, warmUp: min(20, plan.steps), total: plan.steps)
        var best = (loss: Double.infinity, weights: weights, step: 0)
        var looks = 0
        var recent = 0.0
        for step in 0..<plan.steps {
            let loss = try self.step(learningRate: schedule.rate(at: step))
            guard loss.isFinite else {
                throw ForecastingError.diverged(method: "lstm", reason: "the loss became \(loss) at step \(step)")
            }
            recent = step == 0 ? loss : 0.9 * recent + 0.1 * loss
            guard (step + 1) % TrainingPlan.evaluationInterval == 0 || step + 1 == plan.steps else { continue }
            try progress(TrainingProgress(done: step + 1, total: plan.steps, loss: recent))
            let validation = try validationLoss()
            looks = validation < best.loss ? 0 : looks + 1
            if validation < best.loss { best = (validation, weights, step + 1) }
            if looks >= TrainingPlan.patience { break }
        }
        guard best.loss.isFinite else {
            throw ForecastingError.diverged(method: "lstm", reason: "no step gave a finite validation loss")
        }
        return TrainedWeights(
            weights: try best.weights.encoded(),
            metrics: ["validation_loss": best.loss, "training_loss": recent, "best_step": Double(best.step)])
    }

    private mutating func newStream() -> Stream {
        let place = Int(random.next() % UInt64(series.count))
        let room = series[place].count - timesteps
        return Stream(series: place, position: Int(random.next() % UInt64(room)), shape: shape)
    }

    private func validationLoss() throws -> Double {
        let model = try LSTMModel(shape, weights)
        let scores = Contest(panel: panel, holdout: TrainingPlan.validation)
            .scores(of: model, specification: specification)
        let losses = scores.compactMap { $0?.pinball }
        return losses.isEmpty ? .nan : losses.reduce(0, +) / Double(losses.count)
    }

    // MARK: One step

    /// Forward and backward over one chunk of every stream, then one step of the optimizer.
    private mutating func step(learningRate: Float) throws -> Double {
        let tapes = weights.layers.map { LSTMTape($0, timesteps: timesteps, batch: plan.batch) }
        let features = chunkFeatures()
        var below = features
        for (layer, tape) in tapes.enumerated() {
            try tape.forward(below, h: streams.flatMap { $0.h[layer] }, c: streams.flatMap { $0.c[layer] })
            below = Array(tape.outputs)
        }
        let inputs = headInputs(below, features)
        let rows = timesteps * plan.batch
        let (loss, outputGradient) = lossGradient(try headOutputs(inputs, rows))
        let head = try weights.head.backward(x: inputs, outputGradient: outputGradient, rows: rows)
        var gradient = recurrentPart(head.input, rows)
        var gradients: [[Float]] = [head.kernel, head.bias]
        for tape in tapes.reversed() {
            let layer = try tape.backward(gradient)
            gradients.insert(contentsOf: [layer.kernel, layer.recurrentKernel, layer.bias], at: 0)
            gradient = layer.input
        }
        carry(tapes)
        var tensors = weights.tensors
        optimizer.update(&tensors, gradients, learningRate: learningRate)
        weights.tensors = tensors
        return loss
    }

    /// `[timesteps, batch, features]`.
    private func chunkFeatures() -> [Float] {
        var x: [Float] = []
        x.reserveCapacity(timesteps * plan.batch * Features.count)
        for time in 0..<timesteps {
            for stream in streams {
                let start = (stream.position + time) * Features.count
                x += series[stream.series].features[start..<start + Features.count]
            }
        }
        return x
    }

    private func headInputs(_ h: [Float], _ features: [Float]) -> [Float] {
        var inputs: [Float] = []
        inputs.reserveCapacity(timesteps * plan.batch * shape.headInputs)
        for row in 0..<timesteps * plan.batch {
            inputs += h[row * shape.units..<(row + 1) * shape.units]
            inputs += features[row * Features.count..<(row + 1) * Features.count]
        }
        return inputs
    }

    private func headOutputs(_ inputs: [Float], _ rows: Int) throws -> [Float] {
        let head = try weights.head.layer()
        var outputs = [Float](repeating: 0, count: rows * shape.outputs)
        inputs.withUnsafeBufferPointer { x in
            outputs.withUnsafeMutableBufferPointer { y in
                guard let x = x.baseAddress, let y = y.baseAddress else { return }
                head.forward(rows: rows, x: x, xStride: shape.headInputs, y: y)
            }
        }
        return outputs
    }

    /// The mean pinball loss over all targets there are, and its derivative by the outputs.
    private func lossGradient(_ outputs: [Float]) -> (Double, [Float]) {
        var gradient = [Float](repeating: 0, count: outputs.count)
        var (sum, count) = (Float(0), 0)
        let width = shape.quantiles.count
        for time in 0..<timesteps {
            for (row, stream) in streams.enumerated()
            where stream.position == 0 || stream.age + time >= TrainingPlan.settling {
                let source = series[stream.series]
                for lead in 1...shape.horizon {
                    guard let target = source.target(at: stream.position + time, lead: lead) else { continue }
                    let start = (time * plan.batch + row) * shape.outputs + (lead - 1) * width
                    for (place, level) in shape.quantiles.enumerated() {
                        let difference = target - outputs[start + place]
                        sum += difference > 0 ? level * difference : (level - 1) * difference
                        gradient[start + place] = difference > 0 ? -level : 1 - level
                    }
                    count += width
                }
            }
        }
        let scale = 1 / Float(max(1, count))
        for place in gradient.indices { gradient[place] *= scale }
        return (Double(sum * scale), gradient)
    }

    /// The columns of the head's input gradient that belong to `h`.
    private func recurrentPart(_ gradient: [Float], _ rows: Int) -> [Float] {
        (0..<rows).flatMap { gradient[$0 * shape.headInputs..<$0 * shape.headInputs + shape.units] }
    }

    /// Moves every stream on by one chunk with the state it ended in; one at its series' end starts anew elsewhere.
    private mutating func carry(_ tapes: [LSTMTape]) {
        let finals = tapes.map(\.finalState)
        for row in streams.indices {
            streams[row].position += timesteps
            streams[row].age += timesteps
            let part = row * shape.units..<(row + 1) * shape.units
            for layer in tapes.indices {
                streams[row].h[layer] = Array(finals[layer].h[part])
                streams[row].c[layer] = Array(finals[layer].c[part])
            }
            if streams[row].position + timesteps >= series[streams[row].series].count { streams[row] = newStream() }
        }
    }
}
