import Forecasting
import LinearARForecaster
import Recurrent

/// A kind of network; a version has one of each, in the order of its experts.
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

/// The complete training: the linear base of every group, then the networks on top of it.
///
/// Groups with the same kinds of seasons share a network in pooled steps, round-robin, before each fine-tunes its own
/// copy; a group without such peers is trained directly. For a group of an earlier version, the networks of that
/// version are fine-tuned; its base is refitted, because a closed-form fit needs no starting point.
struct RecipeTraining {
    let plan: RecipePlan
    let specification: ForecastSpecification
    private let method = "lstm"

    /// - Parameter from: the weights of an earlier version; parts that do not fit are trained from scratch, and a note
    ///   says so.
    func run(
        _ panel: Panel, from: [UInt8]?, _ progress: (TrainingProgress) throws -> Void
    ) throws -> TrainedWeights {
        try withoutActuallyEscaping(progress) { try train(panel, from: from, $0) }
    }

    private func train(
        _ panel: Panel, from: [UInt8]?, _ progress: @escaping (TrainingProgress) throws -> Void
    ) throws -> TrainedWeights {
        let fitted = try LinearGroup.fit(panel, specification, plan.linear, method: method)
        var tensors: [String: Tensor] = [:]
        var prepared: [PreparedGroup] = []
        for (index, (group, series)) in fitted.enumerated() {
            tensors.merge(try group.tensors(index)) { $1 }
            prepared.append(try PreparedGroup(group, series, panel))
        }
        let kinds = NetworkKind.all(plan)
        let earlier = from.map { EarlierNetworks($0, for: prepared, kinds, specification, sizes: sizes) }
        let pools = pools(prepared, earlier)
        let total = kinds.count * pools.reduce(0) { $0 + steps($1, prepared, earlier) }
        var report = Report(total: total, progress: progress)
        for note in earlier?.notes ?? [] { try report.send(note) }
        var metrics = ["groups": Double(fitted.count)]
        if let earlier { metrics["groups_from_champion"] = Double(earlier.groupCount) }
        for (number, kind) in kinds.enumerated() {
            let seed = plan.seed &* 1_000_003 &+ UInt64(kind.seed * 64 + number)
            for pool in pools {
                let groups = pool.map { ($0, prepared[$0]) }
                for (index, network, loss) in try train(groups, kind, seed, earlier, &report) {
                    try network.fillEmbeddings(of: Set(prepared[index].series.map(\.memberRow)))
                    tensors.merge(network.tensors("group.\(index)/\(kind.name)/")) { $1 }
                    metrics["loss_\(kind.name)", default: 0] += loss / Double(prepared.count)
                }
            }
        }
        return TrainedWeights(weights: try Safetensors(tensors).encoded(), metrics: metrics)
    }

    private func sizes(_ prepared: PreparedGroup, _ kind: NetworkKind) -> NetworkSizes {
        NetworkSizes(
            plan, specification, prepared.shape, members: prepared.group.members.count, squashes: kind.squashes,
            isRecurrent: kind.isRecurrent)
    }

    /// The indices of the groups that are trained together; a group that continues from an earlier version is alone.
    private func pools(_ prepared: [PreparedGroup], _ earlier: EarlierNetworks?) -> [[Int]] {
        guard plan.poolSteps > 0 else { return prepared.indices.map { [$0] } }
        let continued = prepared.indices.filter { earlier?.hasNetworks(forGroup: $0) ?? false }
        let byKind = Dictionary(grouping: prepared.indices.filter { !continued.contains($0) }) { index in
            let seasons = prepared[index].shape.seasons
            return (seasons.short > 0 ? 1 : 0) + (seasons.long > 0 ? 2 : 0)
        }
        return continued.map { [$0] } + byKind.values.sorted { ($0.first ?? 0) < ($1.first ?? 0) }
    }

    /// The number of optimizer steps for one network on groups that are trained together.
    private func steps(_ pool: [Int], _ prepared: [PreparedGroup], _ earlier: EarlierNetworks?) -> Int {
        guard pool.count == 1, let only = pool.first else { return plan.poolSteps + pool.count * plan.fineTuningSteps }
        let count = prepared[only].series.count
        let isContinued = earlier?.hasNetworks(forGroup: only) ?? false
        return isContinued ? plan.continuedSteps(series: count) : plan.steps(series: count)
    }

    private typealias Trained = (index: Int, network: RecipeNetwork, loss: Double)

    private func train(
        _ groups: [(index: Int, prepared: PreparedGroup)], _ kind: NetworkKind, _ seed: UInt64,
        _ earlier: EarlierNetworks?, _ report: inout Report
    ) throws -> [Trained] {
        var random = RandomSource(seed: seed)
        guard let first = groups.first else { return [] }
        if let network = earlier?.network(kind, ofGroup: first.index) {
            let run = RecipeTrainer(network, first.prepared, plan, seed: random.next())
            let steps = plan.continuedSteps(series: first.prepared.series.count)
            let loss = try train([run], steps: steps, rate: plan.learningRate * plan.fineTuningRate, &report)
            return [(first.index, network, loss)]
        }
        let network = try RecipeNetwork(sizes(first.prepared, kind), &random)
        guard groups.count > 1 else {
            let run = RecipeTrainer(network, first.prepared, plan, seed: random.next())
            let loss = try train(
                [run], steps: plan.steps(series: first.prepared.series.count), rate: plan.learningRate, &report)
            return [(first.index, network, loss)]
        }
        var shared = [network]
        for group in groups.dropFirst() {
            shared.append(try RecipeNetwork(sharing: network, sizes(group.prepared, kind), &random))
        }
        let runs = zip(shared, groups).map { RecipeTrainer($0, $1.prepared, plan, seed: random.next()) }
        var loss = try train(runs, steps: plan.poolSteps, rate: plan.learningRate, &report)
        let weights = shared.map(\.weights)
        var trained: [Trained] = []
        for (group, weights) in zip(groups, weights) {
            let copy = try RecipeNetwork(sizes(group.prepared, kind), &random)
            try copy.set(weights)
            if plan.fineTuningSteps > 0 {
                let run = RecipeTrainer(copy, group.prepared, plan, seed: random.next())
                let rate = plan.learningRate * plan.fineTuningRate
                loss = try train([run], steps: plan.fineTuningSteps, rate: rate, &report)
            }
            trained.append((group.index, copy, loss))
        }
        return trained
    }

    // MARK: Steps

    /// The number of steps between two progress reports.
    private static let reportInterval = 25
    /// The number of steps without a better validation loss before training stops.
    private static let patience = 150

    /// Runs optimizer steps over the trainers in turn, and returns the recent mean loss.
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
        // With early stopping, the weights are those of the best step.
        for (parameter, values) in zip(parameters, best.weights) { try parameter.set(values) }
        return recent
    }

    /// Counts the steps over all networks, and reports progress.
    private struct Report {
        let total: Int
        var done = 0
        let progress: (TrainingProgress) throws -> Void

        init(total: Int, progress: @escaping (TrainingProgress) throws -> Void) {
            (self.total, self.progress) = (total, progress)
        }

        func send(_ note: TrainingNote) throws {
            try progress(TrainingProgress(done: 0, total: total, loss: 0, note: note))
        }

        mutating func advance(_ steps: Int, loss: Double) throws {
            done += steps
            try progress(TrainingProgress(done: min(done, total), total: total, loss: loss))
        }
    }
}
