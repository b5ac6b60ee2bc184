internal import CRecurrentKernels

/// Weights the experts of a model by their performance on one series: exponential weights on their pinball losses
/// (Cesa-Bianchi and Lugosi, "Prediction, learning, and games", 2006, chapter 2).
struct ExpertMix: Sendable {
    /// Normalized to a sum of 1.
    let priors: [Float]
    /// The learning rate: how strongly losses reduce an expert's weight.
    static let rate: Float = 20
    /// The factor by which past losses decay per origin.
    static let memory: Float = 0.985
    /// The number of origins until losses count in full.
    static let burnIn: Float = 10

    init(_ experts: [Expert]) {
        let sum = experts.reduce(0) { $0 + max(0, $1.prior) }
        priors = experts.map { sum > 0 ? Float(max(0, $0.prior) / sum) : 1 / Float(experts.count) }
    }

    /// Updates the weights with the losses of one origin, `[experts]`.
    func learn(
        _ origin: UnsafePointer<Float>, losses: UnsafeMutablePointer<Float>,
        finished: inout Float, weights: UnsafeMutablePointer<Float>
    ) {
        let count = priors.count
        let worst = (0..<count).reduce(Float(0)) { origin[$1].isFinite ? max($0, origin[$1]) : $0 }
        var mean: Float = 0
        for expert in 0..<count {
            // An expert without a usable forecast counts as worse than any that has one.
            losses[expert] = Self.memory * losses[expert] + (origin[expert].isFinite ? origin[expert] : 2 * worst)
            mean += losses[expert] / Float(count)
        }
        finished = min(finished + 1, 1e6)
        updateWeights(losses, mean: mean, finished: finished, weights)
    }

    private func updateWeights(
        _ losses: UnsafePointer<Float>, mean: Float, finished: Float, _ weights: UnsafeMutablePointer<Float>
    ) {
        let count = priors.count
        guard mean > 0 else { return }
        let least = (0..<count).reduce(Float.infinity) { min($0, losses[$1]) }
        let rate = Self.rate * min(1, finished / Self.burnIn)
        for expert in 0..<count { weights[expert] = -rate * (losses[expert] - least) / mean }
        crk_best().pointee.vexp(count, weights, weights)
        var sum: Float = 0
        for expert in 0..<count {
            weights[expert] *= priors[expert]
            sum += weights[expert]
        }
        for expert in 0..<count { weights[expert] = sum > 0 ? weights[expert] / sum : priors[expert] }
    }

    /// Writes the weighted mean of the experts' `forecasts`, `[experts][count]`, ignoring unusable ones.
    func combine(
        _ forecasts: UnsafePointer<Float>, count: Int, weights: UnsafePointer<Float>,
        to out: UnsafeMutablePointer<Float>
    ) {
        var sum: Float = 0
        for index in 0..<count { out[index] = 0 }
        for expert in priors.indices {
            let (forecast, weight) = (forecasts + expert * count, weights[expert])
            guard weight > 0, UsableForecast.isUsable(forecast, count) else { continue }
            sum += weight
            for index in 0..<count { out[index] += weight * forecast[index] }
        }
        guard sum > 0 else {
            for index in 0..<count { out[index] = .nan }
            return
        }
        if sum != 1 { for index in 0..<count { out[index] /= sum } }
    }
}
