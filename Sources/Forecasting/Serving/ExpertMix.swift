internal import CRecurrentKernels

/// Weighs the experts of a model by how they fared on this very series: exponential weights on their pinball losses
/// (Cesa-Bianchi and Lugosi, "Prediction, learning, and games", 2006, chapter 2).
struct ExpertMix: Sendable {
    /// Relative to each other, their sum 1.
    let priors: [Float]
    /// How strongly a loss counts against an expert.
    static let rate: Float = 20
    /// What is left of a loss after one more origin.
    static let memory: Float = 0.985
    /// Origins until losses count in full.
    static let settling: Float = 10

    init(_ experts: [Expert]) {
        let sum = experts.reduce(0) { $0 + max(0, $1.prior) }
        priors = experts.map { sum > 0 ? Float(max(0, $0.prior) / sum) : 1 / Float(experts.count) }
    }

    /// Takes in the losses of one origin, `[experts]`, and weighs anew.
    func learn(
        _ origin: UnsafePointer<Float>, losses: UnsafeMutablePointer<Float>,
        finished: inout Float, weights: UnsafeMutablePointer<Float>
    ) {
        let count = priors.count
        let worst = (0..<count).reduce(Float(0)) { origin[$1].isFinite ? max($0, origin[$1]) : $0 }
        var mean: Float = 0
        for expert in 0..<count {
            // An expert without an opinion is worse than any that has one.
            losses[expert] = Self.memory * losses[expert] + (origin[expert].isFinite ? origin[expert] : 2 * worst)
            mean += losses[expert] / Float(count)
        }
        finished = min(finished + 1, 1e6)
        weigh(losses, mean: mean, finished: finished, weights)
    }

    private func weigh(
        _ losses: UnsafePointer<Float>, mean: Float, finished: Float, _ weights: UnsafeMutablePointer<Float>
    ) {
        let count = priors.count
        guard mean > 0 else { return }
        let least = (0..<count).reduce(Float.infinity) { min($0, losses[$1]) }
        let trust = Self.rate * min(1, finished / Self.settling)
        for expert in 0..<count { weights[expert] = -trust * (losses[expert] - least) / mean }
        crk_best().pointee.vexp(count, weights, weights)
        var sum: Float = 0
        for expert in 0..<count {
            weights[expert] *= priors[expert]
            sum += weights[expert]
        }
        for expert in 0..<count { weights[expert] = sum > 0 ? weights[expert] / sum : priors[expert] }
    }

    /// The weighted mean of the experts' `forecasts`, `[experts][count]`; those without a usable one have no say.
    func combine(
        _ forecasts: UnsafePointer<Float>, count: Int, weights: UnsafePointer<Float>,
        to out: UnsafeMutablePointer<Float>
    ) {
        var sum: Float = 0
        for place in 0..<count { out[place] = 0 }
        for expert in priors.indices {
            let (forecast, weight) = (forecasts + expert * count, weights[expert])
            guard weight > 0, UsableForecast.isUsable(forecast, count) else { continue }
            sum += weight
            for place in 0..<count { out[place] += weight * forecast[place] }
        }
        guard sum > 0 else {
            for place in 0..<count { out[place] = .nan }
            return
        }
        if sum != 1 { for place in 0..<count { out[place] /= sum } }
    }
}
