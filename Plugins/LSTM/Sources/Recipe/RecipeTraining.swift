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
            add("lstm", 0.3, true, true)
            if plan.trainsTwin { add("memoryless", 0.3, false, true) }
            if plan.trainsUnsquashed { add("unsquashed", 0.25, true, false) }
        }
        return kinds
    }
}

/// The whole training: the linear base of every group, then the networks on top of it.
///
/// Groups with the same kinds of seasons share a network in pooled steps, round-robin, before each tunes a copy of its own; a
/// group alone is trained at once.
struct RecipeTraining {
    let plan: RecipePlan
    let specification: ForecastSpecification
    private let method = "lstm"

    func run(_ panel: Panel, _ progress: (TrainingProgress) throws -> Void) throws -> TrainedWeights {
        try withoutActuallyEscaping(progress) { try train(panel, $0) }
    }

    private func train(
        _ panel: Panel, _ progress: @escaping (TrainingProgress) throws -> Void
    ) throws -> TrainedWeights {
        let fitted = try LinearGroup.fit(panel, specification, plan.linear, method: method)
        var tensors: [String: Tensor] = [:]
        var prepared: [PreparedGroup] = []
        for (index, (group, series)) in fitted.enumerated() {
            tensors.merge(try group.tensors(index)) { $1 }
            prepared.append(try PreparedGroup(group, series, panel))
        }
        let kinds = NetworkKind.all(plan)
        var report = Report(
            total: kinds.count * pools(prepared).reduce(0) { $0 + steps($1, prepared) }, progress: progress)
        var metrics: [String: Double] = ["groups": Double(fitted.count)]
        for (number, kind) in kinds.enumerated() {
            let seed = plan.seed &* 1_000_003 &+ UInt64(kind.seed * 64 + number)
            for pool in pools(prepared) {
                for (index, network, loss) in try train(pool.map { ($0, prepared[$0]) }, kind, seed, &report) {
                    try network.spreadEmbedding(of: Set(prepared[index].series.map(\.place)))
                    tensors.merge(network.tensors("group.\(index)/\(kind.name)/")) { $1 }
                    metrics["loss_\(kind.name)", default: 0] += loss / Double(prepared.count)
                }
            }
        }
        return TrainedWeights(weights: try Safetensors(tensors).encoded(), metrics: metrics)
    }

    /// The places of the groups that are trained together.
    private func pools(_ prepared: [PreparedGroup]) -> [[Int]] {
        guard plan.poolSteps > 0 else { return prepared.indices.map { [$0] } }
        let byKind = Dictionary(grouping: prepared.indices) { place in
            let seasons = prepared[place].shape.seasons
            return (seasons.short > 0 ? 1 : 0) + (seasons.long > 0 ? 2 : 0)
        }
        return byKind.values.sorted { ($0.first ?? 0) < ($1.first ?? 0) }
    }

    /// The optimizer steps of one network over groups that are trained together.
    private func steps(_ pool: [Int], _ prepared: [PreparedGroup]) -> Int {
        guard pool.count == 1, let only = pool.first else { return plan.poolSteps + pool.count * plan.fineTuningSteps }
        return plan.steps(series: prepared[only].series.count)
    }

    private typealias Trained = (index: Int, network: RecipeNetwork, loss: Double)

    private func train(
        _ groups: [(index: Int, prepared: PreparedGroup)], _ kind: NetworkKind, _ seed: UInt64, _ report: inout Report
    ) throws -> [Trained] {
        var random = RandomSource(seed: seed)
        func sizes(_ prepared: PreparedGroup) -> NetworkSizes {
            NetworkSizes(
                plan, specification, prepared.shape, members: prepared.group.members.count, squashes: kind.squashes,
                isRecurrent: kind.isRecurrent)
        }
        guard let first = groups.first else { return [] }
        let network = try RecipeNetwork(sizes(first.prepared), &random)
        guard groups.count > 1 else {
            let run = RecipeTrainer(network, first.prepared, plan, seed: random.next())
            let loss = try train(
                [run], steps: plan.steps(series: first.prepared.series.count), rate: plan.learningRate, &report)
            return [(first.index, network, loss)]
        }
        var shared = [network]
        for group in groups.dropFirst() {
            shared.append(try RecipeNetwork(sharing: network, sizes(group.prepared), &random))
        }
        let runs = zip(shared, groups).map { RecipeTrainer($0, $1.prepared, plan, seed: random.next()) }
        var loss = try train(runs, steps: plan.poolSteps, rate: plan.learningRate, &report)
        let weights = shared.map(\.weights)
        var trained: [Trained] = []
        for (group, weights) in zip(groups, weights) {
            let own = try RecipeNetwork(sizes(group.prepared), &random)
            try own.set(weights)
            if plan.fineTuningSteps > 0 {
                let run = RecipeTrainer(own, group.prepared, plan, seed: random.next())
                let rate = plan.learningRate * plan.fineTuningRate
                loss = try train([run], steps: plan.fineTuningSteps, rate: rate, &report)
            }
            trained.append((group.index, own, loss))
        }
        return trained
    }

    // MARK: Steps

    /// Steps between two reports.
    private static let reportInterval = 25
    /// Steps without a better validation loss before training stops.
    private static let patience = 150

    /// Optimizer steps over the runs in turns; the mean loss of late.
    private func train(
        _ runs: [RecipeTrainer], steps: Int, rate: Float, _ report: inout Report
    ) throws -> Double {
        let warmUp = min(20, steps)
        var optimizer = Optimizer(
            .adamW(weightDecay: plan.weightDecay),
            learningRate: .cosine(
                initial: rate / Float(warmUp), decaySteps: steps - warmUp, warmUp: .init(to: rate, steps: warmUp)),
            clipping: .globalNorm(1))
        guard let first = runs.first else { return 0 }
        let parameters = first.parameters + runs.dropFirst().map(\.memberEmbeddings)
        var recent = 0.0
        var best = (loss: Double.infinity, step: 0, weights: [[Float]]())
        for step in 0..<steps {
            for run in runs { run.memberEmbeddings.clearGradient() }
            let loss = try runs[step % runs.count].gradients()
            guard loss.isFinite else {
                throw ForecastingError.diverged(method: method, reason: "the loss became \(loss) at step \(step)")
            }
            do { try optimizer.apply(to: parameters) } catch {
                throw ForecastingError.diverged(method: method, reason: error.description)
            }
            recent = step == 0 ? loss : 0.9 * recent + 0.1 * loss
            guard (step + 1) % Self.reportInterval == 0 || step + 1 == steps else { continue }
            try report.advance(step % Self.reportInterval + 1, loss: recent)
            guard runs.count == 1, let validation = try first.validationLoss() else { continue }
            if validation < best.loss { best = (validation, step + 1, parameters.map(\.values)) }
            if step + 1 - best.step >= Self.patience { break }
        }
        // Early stopping, if asked: the weights are those of the step that did best.
        for (parameter, values) in zip(parameters, best.weights) { try parameter.set(values) }
        return recent
    }

    /// Counts steps over all networks.
    private struct Report {
        let total: Int
        var done = 0
        let progress: (TrainingProgress) throws -> Void

        init(total: Int, progress: @escaping (TrainingProgress) throws -> Void) {
            (self.total, self.progress) = (total, progress)
        }

        mutating func advance(_ steps: Int, loss: Double) throws {
            done += steps
            try progress(TrainingProgress(done: min(done, total), total: total, loss: loss))
        }
    }
}
