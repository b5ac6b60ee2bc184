import Forecasting
import Recurrent

/// The sizes of the network.
struct NetworkShape: Sendable, Equatable {
    let units: Int
    let layers: Int
    let horizon: Int
    let quantiles: [Float]

    init(_ parameters: Parameters, _ specification: ForecastSpecification) {
        units = parameters.integer("units")
        layers = parameters.integer("layers")
        horizon = specification.horizon
        quantiles = specification.quantiles.levels.map { Float($0) }
    }

    var outputs: Int { horizon * quantiles.count }
    /// The head reads the last layer's `h` and the features themselves.
    var headInputs: Int { units + Features.count }
    func inputs(ofLayer layer: Int) -> Int { layer == 0 ? Features.count : units }
}

/// The weights of the network, and their file: safetensors with Keras' names and layout.
struct NetworkWeights: Sendable {
    var layers: [LSTMWeights]
    var head: DenseWeights

    /// Fresh weights. The head starts at a normal fan around the last value that widens with the root of the lead.
    init(_ shape: NetworkShape, _ random: inout RandomSource) throws {
        layers = try (0..<shape.layers).map { layer in
            try LSTMWeights(inputs: shape.inputs(ofLayer: layer), units: shape.units, &random)
        }
        head = DenseWeights(inputs: shape.headInputs, units: shape.outputs, gain: 0.1, &random)
        for lead in 0..<shape.horizon {
            let growth = min(1.5, 0.3 * Float(lead + 1).squareRoot())
            for (place, level) in shape.quantiles.enumerated() {
                head.bias[lead * shape.quantiles.count + place] = Float(normalQuantile(Double(level))) * growth
            }
        }
    }

    init(decoding bytes: [UInt8], shape: NetworkShape) throws(RecurrentError) {
        let file = try Safetensors(decoding: bytes)
        var layers: [LSTMWeights] = []
        for layer in 0..<shape.layers {
            let (inputs, units) = (shape.inputs(ofLayer: layer), shape.units)
            layers.append(
                try LSTMWeights(
                    inputs: inputs, units: units,
                    kernel: file.values("lstm_\(layer)/kernel", shape: [inputs, 4 * units]),
                    recurrentKernel: file.values("lstm_\(layer)/recurrent_kernel", shape: [units, 4 * units]),
                    bias: file.values("lstm_\(layer)/bias", shape: [4 * units])))
        }
        self.layers = layers
        var random = RandomSource(seed: 0)
        head = DenseWeights(inputs: shape.headInputs, units: shape.outputs, &random)
        head.kernel = try file.values("dense/kernel", shape: [shape.headInputs, shape.outputs])
        head.bias = try file.values("dense/bias", shape: [shape.outputs])
    }

    func encoded() throws -> [UInt8] {
        var tensors: [String: Safetensors.Tensor] = [
            "dense/kernel": .init(shape: [head.inputs, head.units], values: head.kernel),
            "dense/bias": .init(shape: [head.units], values: head.bias),
        ]
        for (place, layer) in layers.enumerated() {
            let columns = 4 * layer.units
            tensors["lstm_\(place)/kernel"] = .init(shape: [layer.inputs, columns], values: layer.kernel)
            tensors["lstm_\(place)/recurrent_kernel"] = .init(
                shape: [layer.units, columns], values: layer.recurrentKernel)
            tensors["lstm_\(place)/bias"] = .init(shape: [columns], values: layer.bias)
        }
        return try Safetensors(tensors).encoded()
    }

    /// All weights as a list, for the optimizer.
    var tensors: [[Float]] {
        get { layers.flatMap { [$0.kernel, $0.recurrentKernel, $0.bias] } + [head.kernel, head.bias] }
        set {
            for place in layers.indices {
                layers[place].kernel = newValue[3 * place]
                layers[place].recurrentKernel = newValue[3 * place + 1]
                layers[place].bias = newValue[3 * place + 2]
            }
            head.kernel = newValue[3 * layers.count]
            head.bias = newValue[3 * layers.count + 1]
        }
    }
}
