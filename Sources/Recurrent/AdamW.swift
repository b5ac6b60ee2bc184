/// Adam with decoupled weight decay (Loshchilov and Hutter, 2019) over a list of tensors.
public struct AdamW: Sendable {
    public var beta1: Float = 0.9
    public var beta2: Float = 0.999
    public var epsilon: Float = 1e-7
    /// The part of every weight that is taken away per step, times the learning rate.
    public var weightDecay: Float
    /// The largest norm that all gradients together may have; larger ones are scaled down to it.
    public var clipNorm: Float

    private var step = 0
    private var first: [[Float]] = []
    private var second: [[Float]] = []

    public init(weightDecay: Float = 0, clipNorm: Float = .infinity) {
        self.weightDecay = weightDecay
        self.clipNorm = clipNorm
    }

    /// Moves `tensors` against `gradients`, tensor by tensor of equal length.
    public mutating func update(_ tensors: inout [[Float]], _ gradients: [[Float]], learningRate: Float) {
        if first.isEmpty {
            first = gradients.map { [Float](repeating: 0, count: $0.count) }
            second = first
        }
        step += 1
        let norm = gradients.reduce(Float(0)) { sum, g in g.reduce(sum) { $0 + $1 * $1 } }.squareRoot()
        let scale = norm > clipNorm ? clipNorm / norm : 1
        let correction1 = 1 - power(beta1, step)
        let correction2 = 1 - power(beta2, step)
        for index in tensors.indices {
            for place in tensors[index].indices {
                let gradient = gradients[index][place] * scale
                first[index][place] += (1 - beta1) * (gradient - first[index][place])
                second[index][place] += (1 - beta2) * (gradient * gradient - second[index][place])
                let mean = first[index][place] / correction1
                let deviation = (second[index][place] / correction2).squareRoot()
                let decay = weightDecay * tensors[index][place]
                tensors[index][place] -= learningRate * (mean / (deviation + epsilon) + decay)
            }
        }
    }

    private func power(_ base: Float, _ exponent: Int) -> Float {
        var (result, factor, rest) = (Float(1), base, exponent)
        while rest > 0 {
            if rest & 1 == 1 { result *= factor }
            factor *= factor
            rest >>= 1
        }
        return result
    }
}

/// A learning rate that warms up linearly and then falls along a half cosine to zero.
public struct CosineSchedule: Sendable {
    public var peak: Float
    public var warmUp: Int
    public var total: Int

    public init(peak: Float, warmUp: Int, total: Int) {
        (self.peak, self.warmUp, self.total) = (peak, warmUp, total)
    }

    /// The rate at `step`, 0 ..< total.
    public func rate(at step: Int) -> Float {
        if step < warmUp { return peak * Float(step + 1) / Float(warmUp) }
        let progress = Float(step - warmUp) / Float(max(1, total - warmUp))
        // cos(πp) = sin(2π(p/2 + 1/4)).
        return peak * 0.5 * (1 + Kernels.best.sin2pi([progress / 2 + 0.25])[0])
    }
}
