internal import CRecurrentKernels

/// The loss that training minimizes: a mean over all targets.
public enum Loss: Sendable, Equatable {
    /// (y − ŷ)².
    case meanSquaredError
    /// |y − ŷ|.
    case meanAbsoluteError
    /// Half the square up to `delta`, linear beyond.
    case huber(delta: Float = 1)
    /// The quantile loss, with one output per target and level, levels varying fastest. Levels are in 0…1.
    case pinball(levels: [Float])
    /// The negative log-likelihood of a normal distribution, without the constant ½ln 2π, with two outputs per target:
    /// the mean and the logarithm of the variance.
    case gaussianNLL

    /// Outputs per target.
    public var outputsPerTarget: Int {
        switch self {
        case .pinball(let levels): levels.count
        case .gaussianNLL: 2
        default: 1
        }
    }

    /// The loss of `outputs`, `[…, targets · outputsPerTarget]`, and its gradient with respect to them.
    ///
    /// - Throws: ``RecurrentError/shape(what:expected:actual:)`` when the two shapes do not match.
    public func callAsFunction(
        _ outputs: Tensor, _ targets: Tensor, kernels: Kernels = .best
    ) throws(RecurrentError) -> (value: Double, gradient: Tensor) {
        try check(outputs: outputs.shape.map { $0 }, targets: targets.shape)
        var gradient = [Float](repeating: 0, count: outputs.values.count)
        let sum = add(outputs.values, targets.values, kernels, to: &gradient)
        let count = max(1, self == .gaussianNLL ? targets.values.count : outputs.values.count)
        let scale = 1 / Float(count)
        for index in gradient.indices { gradient[index] *= scale }
        return (sum / Double(count), Tensor(outputs.shape, gradient))
    }

    func check(outputs: [Int?], targets: [Int]) throws(RecurrentError) {
        let expected = outputs.dropLast() + [(outputs.last ?? nil).map { $0 / outputsPerTarget }]
        let isWhole = (outputs.last ?? nil).map { $0 % outputsPerTarget == 0 } ?? true
        guard isWhole, targets.count == expected.count,
            zip(targets, expected).allSatisfy({ $1 == nil || $0 == $1 })
        else { throw .shape(what: "targets", expected: Array(expected), actual: targets) }
    }

    /// The sum over all targets; the derivatives of that sum are written to `gradient`.
    private func add(_ outputs: [Float], _ targets: [Float], _ kernels: Kernels, to gradient: inout [Float]) -> Double {
        switch self {
        case .meanSquaredError:
            Self.pairs(outputs, targets, 1, &gradient) { difference, _ in (difference * difference, 2 * difference) }
        case .meanAbsoluteError:
            Self.pairs(outputs, targets, 1, &gradient) { difference, _ in
                (difference.magnitude, difference > 0 ? 1 : difference < 0 ? -1 : 0)
            }
        case .huber(let delta):
            Self.pairs(outputs, targets, 1, &gradient) { difference, _ in
                difference.magnitude <= delta
                    ? (0.5 * difference * difference, difference)
                    : (delta * (difference.magnitude - 0.5 * delta), difference > 0 ? delta : -delta)
            }
        case .pinball(let levels):
            Self.pairs(outputs, targets, levels.count, &gradient) { difference, offset in
                // The difference is output − target. An exact output has slope 0.
                let slope = -crk_pinball_slope(levels[offset], -difference)
                return (slope * difference, difference == 0 ? 0 : slope)
            }
        case .gaussianNLL: Self.gaussian(outputs, targets, kernels, &gradient)
        }
    }

    private static func pairs(
        _ outputs: [Float], _ targets: [Float], _ width: Int, _ gradient: inout [Float],
        _ loss: (_ difference: Float, _ offset: Int) -> (Float, Float)
    ) -> Double {
        var sum = 0.0
        for target in targets.indices {
            for offset in 0..<width {
                let output = target * width + offset
                let (value, slope) = loss(outputs[output] - targets[target], offset)
                sum += Double(value)
                gradient[output] = slope
            }
        }
        return sum
    }

    private static func gaussian(
        _ outputs: [Float], _ targets: [Float], _ kernels: Kernels, _ gradient: inout [Float]
    ) -> Double {
        let precisions = kernels.exp(targets.indices.map { -outputs[2 * $0 + 1] })
        var sum = 0.0
        for target in targets.indices {
            let difference = outputs[2 * target] - targets[target]
            let scaled = difference * precisions[target]
            sum += Double(0.5 * (outputs[2 * target + 1] + difference * scaled))
            gradient[2 * target] = scaled
            gradient[2 * target + 1] = 0.5 * (1 - difference * scaled)
        }
        return sum
    }
}
