import Recurrent

#if canImport(Glibc)
    import Glibc
#endif

/// Keras' LSTM in plain Double arithmetic, written for reading: the oracle of the gradient check.
struct Reference {
    var inputs: Int
    var units: Int
    /// `[inputs, 4·units]`, `[units, 4·units]`, `[4·units]`.
    var kernel: [Double]
    var recurrent: [Double]
    var bias: [Double]
    var activation: Activation
    var recurrentActivation: Activation

    init(_ layer: LSTM, inputs: Int) {
        let weights = layer.weights.map { $0.values.map(Double.init) }
        (self.inputs, units) = (inputs, layer.units)
        (kernel, recurrent, bias) = (weights[0], weights[1], weights[2])
        (activation, recurrentActivation) = (layer.activation, layer.recurrentActivation)
    }

    /// h and c after one step of one sample.
    func step(_ x: [Double], _ h: [Double], _ c: [Double]) -> (h: [Double], c: [Double]) {
        func sum(_ column: Int) -> Double {
            var z = bias[column]
            for k in 0..<inputs { z += x[k] * kernel[k * 4 * units + column] }
            for k in 0..<units { z += h[k] * recurrent[k * 4 * units + column] }
            return z
        }
        var (newH, newC) = (h, c)
        for unit in 0..<units {
            let i = value(recurrentActivation, sum(unit))
            let f = value(recurrentActivation, sum(units + unit))
            let g = value(activation, sum(2 * units + unit))
            let o = value(recurrentActivation, sum(3 * units + unit))
            newC[unit] = f * c[unit] + i * g
            newH[unit] = o * value(activation, newC[unit])
        }
        return (newH, newC)
    }

    /// Outputs `[batch][timesteps][units]` for x `[batch][timesteps][inputs]`, holding masked steps.
    func run(_ x: [Double], batch: Int, timesteps: Int, h0: [Double], c0: [Double], mask: [[Bool]]?) -> [Double] {
        var outputs: [Double] = []
        for sample in 0..<batch {
            var h = Array(h0[sample * units..<(sample + 1) * units])
            var c = Array(c0[sample * units..<(sample + 1) * units])
            for time in 0..<timesteps {
                if mask?[sample][time] ?? true {
                    let start = (sample * timesteps + time) * inputs
                    (h, c) = step(Array(x[start..<start + inputs]), h, c)
                }
                outputs += h
            }
        }
        return outputs
    }

    func value(_ activation: Activation, _ x: Double) -> Double {
        func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
        func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }
        return switch activation {
        case .tanh: tanh(x)
        case .sigmoid: sigmoid(x)
        case .hardSigmoid: min(max(0.2 * x + 0.5, 0), 1)
        case .hardSigmoidKeras3: min(max(x / 6 + 0.5, 0), 1)
        case .linear: x
        case .relu: max(x, 0)
        case .relu6: min(max(x, 0), 6)
        case .leakyReLU: x > 0 ? x : 0.2 * x
        case .elu, .celu: x > 0 ? x : expm1(x)
        case .selu: 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * expm1(x))
        case .softplus: softplus(x)
        case .softsign: x / (1 + abs(x))
        case .exponential: exp(x)
        case .gelu: 0.5 * x * (1 + erf(x / 2.0.squareRoot()))
        case .silu: x * sigmoid(x)
        case .mish: x * tanh(softplus(x))
        case .logSigmoid: -softplus(-x)
        case .hardSilu: x * min(max(x / 6 + 0.5, 0), 1)
        case .hardTanh: min(max(x, -1), 1)
        case .tanhShrink: x - tanh(x)
        case .hardShrink: abs(x) > 0.5 ? x : 0
        case .softShrink: x > 0.5 ? x - 0.5 : x < -0.5 ? x + 0.5 : 0
        case .squareplus: (x + (x * x + 4).squareRoot()) / 2
        }
    }
}
