package import Forecasting
package import Recurrent

/// The sizes of one network.
package struct NetworkSizes: Sendable, Equatable {
    let units: Int
    let denseUnits: Int
    let decoderUnits: Int
    let embedding: Int
    let horizon: Int
    let quantiles: [Float]
    let dense: Int
    let leads: Int
    /// The number of series with an embedding of their own.
    var members: Int
    let squashes: Bool
    /// Whether there is an LSTM in addition to the memoryless layer.
    let isRecurrent: Bool

    package init(
        _ plan: RecipePlan, _ specification: ForecastSpecification, _ shape: SlotShape, members: Int, squashes: Bool,
        isRecurrent: Bool
    ) {
        let inputs = NetworkInputs(shape, squashes: squashes)
        (units, denseUnits, decoderUnits) = (isRecurrent ? plan.units : 0, plan.denseUnits, plan.decoderUnits)
        (embedding, horizon, self.members) = (plan.embedding, specification.horizon, members)
        quantiles = specification.quantiles.levels.map { Float($0) }
        (dense, leads) = (inputs.denseCount, inputs.leadCount)
        (self.squashes, self.isRecurrent) = (squashes, isRecurrent)
    }

    /// The number of decoder inputs subject to dropout: h, the memoryless layer, the series embedding.
    var remembered: Int { units + denseUnits + embedding }
    /// The number of context inputs: those and the statics, which are not subject to dropout.
    var context: Int { remembered + NetworkInputs.staticCount }
    var outputs: Int { quantiles.count + NetworkInputs.simpleCount }
}

/// A network as trainable parts: a small LSTM over the error channels next to a memoryless layer over all inputs, and a
/// decoder shared by all leads.
package final class RecipeNetwork {
    let sizes: NetworkSizes
    let lstm: LSTM?
    let dense: Projection
    let context: Projection
    let leads: Projection
    let hidden: Projection
    let outputs: Projection
    let leadRows: Embedding
    let members: Embedding
    /// The linear skip: `[leads]` and `[staticCount]` to one location.
    let leadSkip: Parameter
    let staticSkip: Parameter

    package init(_ sizes: NetworkSizes, _ random: inout RandomSource) throws(RecurrentError) {
        self.sizes = sizes
        func limit(_ inputs: Int) -> Initializer {
            let limit = 1 / Float(inputs).squareRoot()
            return .randomUniform(from: -limit, to: limit)
        }
        if sizes.isRecurrent {
            let lstm = try LSTM(
                sizes.units, recurrentActivation: .sigmoid, kernelInitializer: limit(sizes.units),
                recurrentInitializer: limit(sizes.units), returnSequences: true, stateful: true)
            _ = try lstm.build([nil, NetworkInputs.recurrentCount], &random)
            self.lstm = lstm
        } else {
            lstm = nil
        }
        dense = try Projection(
            sizes.dense, sizes.denseUnits, initializer: limit(sizes.dense), biasInitializer: limit(sizes.dense), &random
        )
        context = try Projection(
            sizes.context, sizes.decoderUnits, initializer: limit(sizes.remembered),
            biasInitializer: limit(sizes.remembered), &random)
        leads = try Projection(
            sizes.leads, sizes.decoderUnits, useBias: false,
            initializer: limit(sizes.leads + NetworkInputs.staticCount),
            &random)
        hidden = try Projection(
            sizes.decoderUnits, sizes.decoderUnits, initializer: limit(sizes.decoderUnits),
            biasInitializer: limit(sizes.decoderUnits), &random)
        outputs = try Projection(sizes.decoderUnits, sizes.outputs, initializer: limit(sizes.decoderUnits), &random)
        leadRows = try Embedding(
            sizes.horizon, sizes.decoderUnits, initializer: .randomNormal(mean: 0, deviation: 0.05), &random)
        members = try Self.embeddings(sizes, &random)
        leadSkip = try Parameter(name: "lead_skip", shape: [sizes.leads], initializer: .zeros, &random)
        staticSkip = try Parameter(
            name: "static_skip", shape: [NetworkInputs.staticCount], initializer: .zeros, &random)
        try initializeOutputs()
    }

    /// Creates the network for another group, sharing all parts of `other` except the embeddings of its series.
    init(sharing other: RecipeNetwork, _ sizes: NetworkSizes, _ random: inout RandomSource) throws(RecurrentError) {
        self.sizes = sizes
        (lstm, dense, context, leads) = (other.lstm, other.dense, other.context, other.leads)
        (hidden, outputs, leadRows) = (other.hidden, other.outputs, other.leadRows)
        (leadSkip, staticSkip) = (other.leadSkip, other.staticSkip)
        members = try Self.embeddings(sizes, &random)
    }

    private static func embeddings(
        _ sizes: NetworkSizes, _ random: inout RandomSource
    ) throws(RecurrentError) -> Embedding {
        try Embedding(
            max(1, sizes.members), sizes.embedding, initializer: .randomNormal(mean: 0, deviation: 0.3), &random)
    }

    /// Initializes the outputs to a narrow normal fan around a gate that selects the linear base.
    private func initializeOutputs() throws(RecurrentError) {
        let quantiles = sizes.quantiles.count
        try outputs.kernel.set(
            outputs.kernel.values.enumerated().map { index, value in
                index % sizes.outputs < quantiles ? 0.3 * value : 0
            })
        try outputs.bias?.set(
            sizes.quantiles.map { 0.6 * Float(normalQuantile(Double($0))) }
                + (0..<NetworkInputs.simpleCount).map { $0 == 0 ? 3 : 0 })
    }

    /// All parameters by name, in the order in which the optimizer updates them.
    var named: [(name: String, parameter: Parameter)] {
        var all: [(String, Parameter)] = []
        for parameter in lstm?.parameters ?? [] { all.append(("lstm/\(parameter.name)", parameter)) }
        let parts = [
            ("dense", dense), ("context", context), ("leads", leads), ("hidden", hidden), ("outputs", outputs),
        ]
        for (name, part) in parts {
            for parameter in part.parameters { all.append(("\(name)/\(parameter.name)", parameter)) }
        }
        all.append(("lead/embeddings", leadRows.parameter))
        all.append(("series/embeddings", members.parameter))
        all.append(("skip/leads", leadSkip))
        all.append(("skip/statics", staticSkip))
        return all
    }

    package var parameters: [Parameter] { named.map(\.parameter) }

    package var weights: [[Float]] { parameters.map(\.values) }

    package func set(_ weights: [[Float]]) throws(RecurrentError) {
        for (parameter, values) in zip(parameters, weights) { try parameter.set(values) }
    }

    // MARK: File

    func tensors(_ prefix: String) -> [String: Tensor] {
        Dictionary(uniqueKeysWithValues: named.map { (prefix + $0.name, $0.parameter.tensor) })
    }

    convenience init(_ sizes: NetworkSizes, in file: Safetensors, _ prefix: String) throws(RecurrentError) {
        var random = RandomSource(seed: 0)
        try self.init(sizes, &random)
        for (name, parameter) in named { try parameter.set(file.values(prefix + name, shape: parameter.shape)) }
    }
}
