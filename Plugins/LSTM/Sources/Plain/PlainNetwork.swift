import Forecasting
import Recurrent

/// The sizes of the network.
struct PlainShape: Sendable, Equatable {
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
    /// The inputs of the head: the last layer's `h` and the features themselves.
    var headInputs: Int { units + PlainFeatures.count }
    func inputs(ofLayer layer: Int) -> Int { layer == 0 ? PlainFeatures.count : units }
}

/// The network as trainable layers, and its file: safetensors with Keras' names and layout.
struct PlainNetwork {
    let shape: PlainShape
    let layers: [LSTM]
    let head: Dense

    /// Creates initial weights.
    ///
    /// The head starts with a normal fan around the last value that widens with the square root of the lead.
    init(_ shape: PlainShape, _ random: inout RandomSource) throws(RecurrentError) {
        self.shape = shape
        var layers: [LSTM] = []
        for layer in 0..<shape.layers {
            let lstm = try LSTM(
                shape.units, recurrentActivation: .sigmoid, returnSequences: true, stateful: true,
                name: "lstm_\(layer)")
            _ = try lstm.build([nil, shape.inputs(ofLayer: layer)], &random)
            layers.append(lstm)
        }
        self.layers = layers
        head = try Dense(shape.outputs)
        _ = try head.build([nil, shape.headInputs], &random)
        let kernel = head.weights[0]
        try head.setWeights([
            Tensor(shape: kernel.shape, values: kernel.values.map { 0.1 * $0 }),
            Tensor(shape: [shape.outputs], values: Self.fan(shape)),
        ])
    }

    private static func fan(_ shape: PlainShape) -> [Float] {
        (0..<shape.horizon).flatMap { lead in
            let growth = min(1.5, 0.3 * Float(lead + 1).squareRoot())
            return shape.quantiles.map { Float(normalQuantile(Double($0))) * growth }
        }
    }

    init(decoding bytes: [UInt8], shape: PlainShape) throws(RecurrentError) {
        let file = try Safetensors(decoding: bytes)
        var random = RandomSource(seed: 0)
        try self.init(shape, &random)
        for (layer, name) in named { try layer.setWeights(Self.tensors(of: layer, name, in: file)) }
    }

    func encoded() throws -> [UInt8] {
        var tensors: [String: Tensor] = [:]
        for (layer, name) in named {
            for parameter in layer.parameters { tensors["\(name)/\(parameter.name)"] = parameter.tensor }
        }
        return try Safetensors(tensors).encoded()
    }

    private var named: [(layer: any Layer, name: String)] { layers.map { ($0, $0.name) } + [(head, head.name)] }

    private static func tensors(
        of layer: any Layer, _ name: String, in file: Safetensors
    ) throws(RecurrentError) -> [Tensor] {
        var tensors: [Tensor] = []
        for parameter in layer.parameters {
            let values = try file.values("\(name)/\(parameter.name)", shape: parameter.shape)
            tensors.append(try Tensor(shape: parameter.shape, values: values))
        }
        return tensors
    }

    var parameters: [Parameter] { named.flatMap { $0.layer.parameters } }
}
