import Recurrent

/// One case of the file; the kind determines which fields are present.
struct KnownCase: Decodable {
    let kind: String
    let atol: Float?
    let weights: [NestedArray]?

    // forward
    let config: LayerConfiguration?
    let x: NestedArray?
    let mask: [[Bool]]?
    let initial_state: [NestedArray]?
    let y: NestedArray?
    let h: NestedArray?
    let c: NestedArray?

    // stateful
    let xs: [NestedArray]?
    let ys: [NestedArray]?
    let after_reset: NestedArray?

    // train
    let layers: [LayerConfiguration]?
    let optimizer: String?
    let learning_rate: Float?
    let momentum: Float?
    let nesterov: Bool?
    let weight_decay: Float?
    let clipnorm: Float?
    let clipvalue: Float?
    let global_clipnorm: Float?
    let loss: String?
    let losses: [Float]?
    let weights_before: [NestedArray]?
    let weights_after: [NestedArray]?

    /// Runs the case and returns its largest difference from Keras.
    func largestDifference(on kernels: Kernels) throws -> Difference {
        switch kind {
        case "forward": try forward(kernels)
        case "stateful": try statefulCalls(kernels)
        case "train": try train(kernels)
        default: throw CaseError.unknown("kind", kind)
        }
    }

    private func layer(_ kernels: Kernels, width: Int) throws -> LSTM {
        let layer = try present(config, "config").layer(on: kernels)
        var random = RandomSource(seed: 0)
        _ = try layer.build([nil, width], &random)
        try layer.setWeights(present(weights, "weights").map(\.tensor))
        return layer
    }

    private func forward(_ kernels: Kernels) throws -> Difference {
        let x = try present(x, "x").tensor
        let layer = try layer(kernels, width: x.shape.last ?? 0)
        var state: LSTM.State?
        if let initial_state {
            guard initial_state.count == 2 else { throw CaseError.missing("initial_state: h and c") }
            state = LSTM.State(h: initial_state[0].tensor, c: initial_state[1].tensor)
        }
        let output = try layer(x, mask: mask.map { try Mask($0) }, initialState: state)
        var difference = Difference()
        difference.compare(output.y.values, try present(y, "y").tensor.values, "y")
        if let h, let state = output.state { difference.compare(state.h.values, h.tensor.values, "h") }
        if let c, let state = output.state { difference.compare(state.c.values, c.tensor.values, "c") }
        return difference
    }

    /// Makes consecutive calls, then resets the states and repeats the last input.
    private func statefulCalls(_ kernels: Kernels) throws -> Difference {
        let (xs, ys) = (try present(xs, "xs"), try present(ys, "ys"))
        guard let last = xs.last, xs.count == ys.count else { throw CaseError.missing("as many ys as xs") }
        let layer = try layer(kernels, width: last.tensor.shape.last ?? 0)
        var difference = Difference()
        for (call, (x, y)) in zip(xs, ys).enumerated() {
            difference.compare(try layer(x.tensor).y.values, y.tensor.values, "ys[\(call)]")
        }
        layer.resetStates()
        if let after_reset {
            difference.compare(try layer(last.tensor).y.values, after_reset.tensor.values, "after_reset")
        }
        return difference
    }

    private func train(_ kernels: Kernels) throws -> Difference {
        let (x, y) = (try present(x, "x").tensor, try present(y, "y").tensor)
        let before = try present(weights_before, "weights_before").map(\.tensor)
        var stack: [any Layer] = []
        for layer in try present(layers, "layers") { stack.append(try layer.layer(on: kernels)) }
        stack.append(try Dense(y.shape.last ?? 1, kernels: kernels))
        let model = try Sequential(stack, inputShape: x.shape.dropFirst().map { $0 })
        try model.setWeights(before)
        model.compile(try namedOptimizer(kernels), loss: try namedLoss())
        var difference = Difference()
        for (step, loss) in try present(losses, "losses").enumerated() {
            difference.compare([Float(try model.trainOnBatch(x, y))], [loss], "losses[\(step)]")
        }
        for (index, (actual, expected)) in zip(model.weights, weights_after ?? []).enumerated() {
            difference.compare(actual.values, expected.tensor.values, "weights_after[\(index)]")
        }
        return difference
    }

    private func namedLoss() throws -> Loss {
        switch loss ?? "mse" {
        case "mse", "mean_squared_error": .meanSquaredError
        case "mae", "mean_absolute_error": .meanAbsoluteError
        case "huber": .huber()
        case let other: throw CaseError.unknown("loss", other)
        }
    }

    private func namedOptimizer(_ kernels: Kernels) throws -> Optimizer {
        let clipping: Optimizer.Clipping? =
            if let clipnorm { .norm(clipnorm) } else if let clipvalue { .value(clipvalue) } else {
                global_clipnorm.map { .globalNorm($0) }
            }
        let method: Optimizer.Method =
            switch optimizer ?? "sgd" {
            case "sgd": .sgd(momentum: momentum ?? 0, nesterov: nesterov ?? false)
            case "rmsprop": .rmsprop(momentum: momentum ?? 0)
            case "adam": .adam()
            case "adamw": .adamW(weightDecay: weight_decay ?? 0.004)
            case let other: throw CaseError.unknown("optimizer", other)
            }
        return Optimizer(
            method, learningRate: .constant(learning_rate ?? 0.001), clipping: clipping, kernels: kernels)
    }

    private func present<Value>(_ value: Value?, _ name: String) throws -> Value {
        guard let value else { throw CaseError.missing(name) }
        return value
    }
}

/// Why a case could not be run.
enum CaseError: Error, CustomStringConvertible {
    case missing(String)
    case unknown(String, String)

    var description: String {
        switch self {
        case .missing(let field): "the case has no \(field)"
        case .unknown(let field, let value): "unknown \(field) \"\(value)\""
        }
    }
}

/// Numbers in nested lists, up to three levels deep.
struct NestedArray: Decodable {
    let tensor: Tensor

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let values = try? container.decode([Float].self) {
            tensor = try Tensor(shape: [values.count], values: values)
        } else if let rows = try? container.decode([[Float]].self) {
            tensor = try Tensor(shape: [rows.count, rows.first?.count ?? 0], values: rows.flatMap { $0 })
        } else {
            let blocks = try container.decode([[[Float]]].self)
            tensor = try Tensor(
                shape: [blocks.count, blocks.first?.count ?? 0, blocks.first?.first?.count ?? 0],
                values: blocks.flatMap { $0.flatMap { $0 } })
        }
    }
}
