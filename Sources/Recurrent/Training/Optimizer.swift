internal import CRecurrentKernels

/// Updates weights from their gradients, step by step, with the formulas of Keras 3.
public struct Optimizer: Sendable {
    public enum Method: Sendable, Equatable {
        case sgd(momentum: Float = 0, nesterov: Bool = false)
        case rmsprop(rho: Float = 0.9, momentum: Float = 0, epsilon: Float = 1e-7, centered: Bool = false)
        /// Kingma and Ba, 2015.
        case adam(beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-7)
        /// Adam with decoupled weight decay (Loshchilov and Hutter, 2019): each step first reduces every weight by
        /// `weightDecay` times the learning rate times itself.
        case adamW(weightDecay: Float = 0.004, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-7)
    }

    /// How gradients that are too large are clipped.
    public enum Clipping: Sendable, Equatable {
        /// Each element is clamped to ±value.
        case value(Float)
        /// Each tensor is scaled down to this norm.
        case norm(Float)
        /// All tensors together are scaled down to this norm.
        case globalNorm(Float)
    }

    public let method: Method
    public var learningRate: LearningRate
    public let clipping: Clipping?
    /// The number of steps made so far.
    public private(set) var iterations = 0
    private let kernels: Kernels
    /// Per tensor: momenta and mean squares, as the method requires.
    private var first: [[Float]] = []
    private var second: [[Float]] = []
    private var third: [[Float]] = []

    public init(
        _ method: Method, learningRate: LearningRate = 0.001, clipping: Clipping? = nil, kernels: Kernels = .best
    ) {
        (self.method, self.learningRate, self.clipping, self.kernels) = (method, learningRate, clipping, kernels)
    }

    /// Makes one step over all parameters, in order, and then applies their constraints.
    ///
    /// - Throws: ``RecurrentError/argument(name:expected:actual:)`` when the tensors are not those of the first step,
    ///   ``RecurrentError/diverged(step:)`` when a gradient is NaN or infinite; no weight has then changed.
    public mutating func apply(to parameters: [Parameter]) throws(RecurrentError) {
        if first.isEmpty {
            first = parameters.map { [Float](repeating: 0, count: $0.values.count) }
            (second, third) = (first, first)
        }
        guard first.map(\.count) == parameters.map(\.values.count) else {
            throw .argument(
                name: "parameters", expected: "\(first.map(\.count)) weights",
                actual: "\(parameters.map(\.values.count))")
        }
        guard parameters.allSatisfy({ $0.gradient.isFinite }) else { throw .diverged(step: iterations) }
        clip(parameters)
        let rate = learningRate.rate(at: iterations)
        iterations += 1
        for (index, parameter) in parameters.enumerated() {
            update(parameter, index, rate)
            parameter.constrain()
        }
    }

    private mutating func update(_ parameter: Parameter, _ index: Int, _ rate: Float) {
        switch method {
        case .sgd(let momentum, let nesterov): sgd(parameter, index, rate, momentum, nesterov)
        case .rmsprop(let rho, let momentum, let epsilon, let centered):
            rmsprop(parameter, index, rate, rho, momentum, epsilon, centered)
        case .adam(let beta1, let beta2, let epsilon): adam(parameter, index, rate, beta1, beta2, epsilon)
        case .adamW(let decay, let beta1, let beta2, let epsilon):
            for element in parameter.values.indices {
                parameter.values[element] -= parameter.values[element] * decay * rate
            }
            adam(parameter, index, rate, beta1, beta2, epsilon)
        }
    }

    private mutating func sgd(
        _ parameter: Parameter, _ index: Int, _ rate: Float, _ momentum: Float, _ nesterov: Bool
    ) {
        var values = parameter.values
        for element in values.indices {
            let step = parameter.gradient[element] * rate
            guard momentum != 0 else {
                values[element] -= step
                continue
            }
            first[index][element] = first[index][element] * momentum - step
            values[element] += nesterov ? first[index][element] * momentum - step : first[index][element]
        }
        parameter.values = values
    }

    private mutating func rmsprop(
        _ parameter: Parameter, _ index: Int, _ rate: Float, _ rho: Float, _ momentum: Float, _ epsilon: Float,
        _ centered: Bool
    ) {
        var values = parameter.values
        for element in values.indices {
            let gradient = parameter.gradient[element]
            second[index][element] = rho * second[index][element] + (1 - rho) * gradient * gradient
            var variance = second[index][element] + epsilon
            if centered {
                third[index][element] = rho * third[index][element] + (1 - rho) * gradient
                variance -= third[index][element] * third[index][element]
            }
            let step = rate * gradient / variance.squareRoot()
            first[index][element] = momentum * first[index][element] + step
            values[element] -= first[index][element]
        }
        parameter.values = values
    }

    private mutating func adam(
        _ parameter: Parameter, _ index: Int, _ rate: Float, _ beta1: Float, _ beta2: Float, _ epsilon: Float
    ) {
        let corrected =
            Double(rate) * (1 - Self.power(beta2, iterations)).squareRoot() / (1 - Self.power(beta1, iterations))
        let count = parameter.values.count
        first[index].withUnsafeMutableBufferPointer { m in
            second[index].withUnsafeMutableBufferPointer { v in
                parameter.gradient.withUnsafeBufferPointer { gradient in
                    parameter.values.withUnsafeMutableBufferPointer { w in
                        guard let m = m.baseAddress, let v = v.baseAddress, let g = gradient.baseAddress,
                            let w = w.baseAddress
                        else { return }
                        kernels.table.pointee.adam(count, w, g, m, v, Float(corrected), beta1, beta2, epsilon)
                    }
                }
            }
        }
    }

    private static func power(_ base: Float, _ exponent: Int) -> Double {
        var (result, factor, remaining) = (1.0, Double(base), exponent)
        while remaining > 0 {
            if remaining & 1 == 1 { result *= factor }
            factor *= factor
            remaining >>= 1
        }
        return result
    }

    private func clip(_ parameters: [Parameter]) {
        func square(_ parameter: Parameter) -> Double {
            parameter.gradient.reduce(0) { $0 + Double($1) * Double($1) }
        }
        func scale(_ parameter: Parameter, norm: Double, to limit: Float) {
            let factor = Float(Double(limit) / max(norm, Double(limit)))
            for element in parameter.gradient.indices { parameter.gradient[element] *= factor }
        }
        switch clipping {
        case nil: return
        case .value(let limit):
            for parameter in parameters {
                for element in parameter.gradient.indices {
                    parameter.gradient[element] = min(max(parameter.gradient[element], -limit), limit)
                }
            }
        case .norm(let limit):
            for parameter in parameters { scale(parameter, norm: square(parameter).squareRoot(), to: limit) }
        case .globalNorm(let limit):
            let norm = parameters.reduce(0) { $0 + square($1) }.squareRoot()
            for parameter in parameters { scale(parameter, norm: norm, to: limit) }
        }
    }
}
