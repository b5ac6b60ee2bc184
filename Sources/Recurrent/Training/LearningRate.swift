/// The learning rate of each optimizer step.
public enum LearningRate: Sendable, Equatable, ExpressibleByFloatLiteral {
    case constant(Float)
    /// Keras' `CosineDecay`: an optional linear warm-up from `initial` to its target, then half a cosine over
    /// `decaySteps`, down to `alpha` times the rate at which the decay began.
    case cosine(initial: Float, decaySteps: Int, alpha: Float = 0, warmUp: WarmUp? = nil)

    /// A linear increase to `target` over `steps` steps.
    public struct WarmUp: Sendable, Equatable {
        public let target: Float
        public let steps: Int

        public init(to target: Float, steps: Int) { (self.target, self.steps) = (target, steps) }
    }

    public init(floatLiteral value: Float) { self = .constant(value) }

    /// The learning rate at step `step`, counted from 0.
    public func rate(at step: Int) -> Float {
        switch self {
        case .constant(let rate): return rate
        case .cosine(let initial, let decaySteps, let alpha, let warmUp):
            if let warmUp, step < warmUp.steps {
                return initial + (warmUp.target - initial) * Float(step) / Float(warmUp.steps)
            }
            let progress = Float(min(step - (warmUp?.steps ?? 0), decaySteps)) / Float(max(1, decaySteps))
            // cos(πp) = sin(2π(p/2 + 1/4)).
            let cosine = 0.5 * (1 + Kernels.best.sin2pi([progress / 2 + 0.25])[0])
            return (warmUp?.target ?? initial) * ((1 - alpha) * cosine + alpha)
        }
    }
}
