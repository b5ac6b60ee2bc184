import Forecasting
import LinearARForecaster
import Recurrent

/// Which networks a version has, in the order of its experts.
struct NetworkKind: Sendable, Hashable {
    var name: String
    var prior: Double
    var isRecurrent: Bool
    var squashes: Bool
    var seed: Int

    static func all(_ plan: RecipePlan) -> [NetworkKind] {
        var kinds: [NetworkKind] = []
        for seed in 0..<plan.seeds {
            let suffix = seed == 0 ? "" : "_\(seed + 1)"
            func add(_ name: String, _ prior: Double, _ isRecurrent: Bool, _ squashes: Bool) {
                kinds.append(
                    NetworkKind(
                        name: name + suffix, prior: prior / Double(plan.seeds), isRecurrent: isRecurrent,
                        squashes: squashes, seed: seed))
            }
            add("lstm", 0.5, true, true)
            if plan.trainsTwin { add("memoryless", 0.2, false, true) }
            if plan.trainsUnsquashed { add("unsquashed", 0.3, true, false) }
        }
        return kinds
    }
}

/// The whole training: the linear base of every group, then the networks on top of it.
struct RecipeTraining {
    let plan: RecipePlan
    let specification: ForecastSpecification
    private let method = "lstm"

    func run(_ panel: Panel, _ progress: (TrainingProgress) throws -> Void) throws -> TrainedWeights {
        let fitted = try LinearGroup.fit(panel, specification, plan.linear, method: method)
        var tensors: [String: Tensor] = [:]
        var metrics: [String: Double] = ["groups": Double(fitted.count)]
        let kinds = NetworkKind.all(plan)
        let total = fitted.count * kinds.count * plan.steps
        var done = 0
        for (index, (group, series)) in fitted.enumerated() {
            tensors.merge(try group.tensors(index)) { $1 }
            let prepared = try PreparedGroup(group, series, panel)
            for (number, kind) in kinds.enumerated() {
                let seed = plan.seed &* 1_000_003 &+ UInt64(kind.seed * 64 + number)
                let sizes = NetworkSizes(
                    plan, specification, prepared.shape, members: group.members.count, squashes: kind.squashes,
                    isRecurrent: kind.isRecurrent)
                var random = RandomSource(seed: seed)
                let network = try RecipeNetwork(sizes, &random)
                let run = RecipeTrainer(network, prepared, plan, seed: random.next())
                let (loss, best) = try train(run, steps: plan.steps, rate: plan.learningRate) { step, loss in
                    try progress(TrainingProgress(done: done + step, total: total, loss: loss))
                }
                done += plan.steps
                metrics["loss_\(kind.name)", default: 0] += loss / Double(fitted.count)
                metrics["best_step_\(kind.name)", default: 0] += Double(best) / Double(fitted.count)
                tensors.merge(network.tensors("group.\(index)/\(kind.name)/")) { $1 }
            }
        }
        return TrainedWeights(weights: try Safetensors(tensors).encoded(), metrics: metrics)
    }

    /// Steps between two reports.
    private static let reportInterval = 25
    /// Steps without a better validation loss before training stops.
    private static let patience = 150

    private func train(
        _ run: RecipeTrainer, steps: Int, rate: Float, _ report: (Int, Double) throws -> Void
    ) throws -> (loss: Double, step: Int) {
        let warmUp = min(20, steps)
        var optimizer = Optimizer(
            .adamW(weightDecay: plan.weightDecay),
            learningRate: .cosine(
                initial: rate / Float(warmUp), decaySteps: steps - warmUp, warmUp: .init(to: rate, steps: warmUp)),
            clipping: .globalNorm(1))
        var recent = 0.0
        var best = (loss: Double.infinity, step: 0, weights: [[Float]]())
        for step in 0..<steps {
            let loss = try run.gradients()
            guard loss.isFinite else {
                throw ForecastingError.diverged(method: method, reason: "the loss became \(loss) at step \(step)")
            }
            do { try optimizer.apply(to: run.parameters) } catch {
                throw ForecastingError.diverged(method: method, reason: error.description)
            }
            recent = step == 0 ? loss : 0.9 * recent + 0.1 * loss
            guard (step + 1) % Self.reportInterval == 0 || step + 1 == steps else { continue }
            try report(step + 1, recent)
            guard let validation = try run.validationLoss() else { continue }
            if validation < best.loss { best = (validation, step + 1, run.parameters.map(\.values)) }
            if step + 1 - best.step >= Self.patience { break }
        }
        guard best.step > 0 else { return (recent, steps) }
        for (parameter, values) in zip(run.parameters, best.weights) { try parameter.set(values) }
        return (recent, best.step)
    }
}
