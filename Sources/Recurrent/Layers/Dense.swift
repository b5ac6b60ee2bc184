internal import CRecurrentKernels

/// y = activation(x·kernel + bias), like Keras' `Dense`: applied to the last axis, whatever axes precede it.
public final class Dense: Layer {
    public var name: String
    public let kind = "Dense"
    public let units: Int
    public let activation: Activation
    public let useBias: Bool
    public private(set) var parameters: [Parameter] = []
    public private(set) var activityPenalty = 0.0

    private let kernelInitializer: Initializer
    private let biasInitializer: Initializer
    private let kernelRegularizer: Regularizer?
    private let biasRegularizer: Regularizer?
    private let activityRegularizer: Regularizer?
    private let kernelConstraint: Constraint?
    private let biasConstraint: Constraint?
    private let kernels: Kernels
    private var random: RandomSource
    private var inputs: Int?
    private var packing: Packing?
    private var saved: Saved?

    /// The values that a backward pass needs: the input, the output, and the activation's derivative unless the
    /// activation is linear.
    private struct Saved {
        let x: Tensor
        let y: Tensor
        let slopes: [Float]?
    }

    private struct Packing {
        let forward: PackedMatrix
        let back: PackedMatrix
        var forwardVersions: [Int] = []
        var backVersion: Int?
    }

    /// - Throws: ``RecurrentError/argument(name:expected:actual:)`` for zero units.
    public init(
        _ units: Int, activation: Activation = .linear, useBias: Bool = true,
        kernelInitializer: Initializer = .glorotUniform, biasInitializer: Initializer = .zeros,
        kernelRegularizer: Regularizer? = nil, biasRegularizer: Regularizer? = nil,
        activityRegularizer: Regularizer? = nil, kernelConstraint: Constraint? = nil,
        biasConstraint: Constraint? = nil, name: String = "dense", seed: UInt64 = 0, kernels: Kernels = .best
    ) throws(RecurrentError) {
        try Argument.positive("units", units)
        (self.units, self.activation, self.useBias, self.name) = (units, activation, useBias, name)
        (self.kernelInitializer, self.biasInitializer) = (kernelInitializer, biasInitializer)
        (self.kernelRegularizer, self.biasRegularizer) = (kernelRegularizer, biasRegularizer)
        (self.kernelConstraint, self.biasConstraint) = (kernelConstraint, biasConstraint)
        (self.activityRegularizer, self.kernels) = (activityRegularizer, kernels)
        random = RandomSource(seed: seed)
    }

    public func build(_ shape: [Int?], _ random: inout RandomSource) throws(RecurrentError) -> [Int?] {
        guard let last = shape.last, let width = last else {
            throw .argument(name: "\(name): input", expected: "a known last axis", actual: "\(shape)")
        }
        try Argument.positive("\(name): inputs", width)
        if let inputs, inputs != width {
            throw .shape(what: "\(name): input", expected: [nil, inputs], actual: [0, width])
        }
        if inputs == nil {
            inputs = width
            parameters = [
                Parameter(
                    "kernel", [width, units], kernelInitializer.values([width, units], &random),
                    regularizer: kernelRegularizer, constraint: kernelConstraint)
            ]
            if useBias {
                parameters.append(
                    Parameter(
                        "bias", [units], biasInitializer.values([units], &random), regularizer: biasRegularizer,
                        constraint: biasConstraint))
            }
        }
        return shape.dropLast() + [units]
    }

    /// Runs the layer on `x`, `[…, inputs]`; the first call creates the weights.
    ///
    /// - Throws: ``RecurrentError``; the weights are then unchanged.
    public func callAsFunction(_ x: Tensor) throws(RecurrentError) -> Tensor {
        try x.checkFinite("\(name): input")
        return try forward(x, mask: nil, training: false)
    }

    /// A cell with this layer's weights, to run row by row.
    ///
    /// - Throws: ``RecurrentError/notBuilt(layer:)``.
    public func cell() throws(RecurrentError) -> DenseCell {
        guard !parameters.isEmpty else { throw .notBuilt(layer: name) }
        return try DenseCell(
            kernel: parameters[0].tensor, bias: useBias ? parameters[1].tensor : nil, activation: activation,
            kernels: kernels)
    }

    public func forward(_ input: Tensor, mask: Mask?, training: Bool) throws(RecurrentError) -> Tensor {
        if inputs == nil { _ = try build(input.shape.map { $0 }, &random) }
        guard let inputs, input.width == inputs, !input.shape.isEmpty else {
            throw .shape(what: "\(name): input", expected: [nil, inputs], actual: input.shape)
        }
        let rows = input.values.count / inputs
        let packing = try packed()
        var y = Tensor(zeros: input.shape.dropLast() + [units])
        var slopes = training && activation != .linear ? [Float](repeating: 0, count: rows * units) : nil
        input.values.withUnsafeBufferPointer { x in
            y.withMutableValues { y in
                guard let x = x.baseAddress, let y = y.baseAddress else { return }
                packing.forward.multiply(rows, x, stride: inputs, to: y, stride: units)
                if activation == .linear { return }
                // The derivative needs the pre-activation sums, which the activation then overwrites.
                let function = kernels.table.pointee.activate
                if training {
                    slopes?.withUnsafeMutableBufferPointer {
                        function(activation.code, rows * units, y, y, $0.baseAddress)
                    }
                } else {
                    function(activation.code, rows * units, y, y, nil)
                }
            }
        }
        if training { save(input, y, slopes) }
        return y
    }

    private func save(_ x: Tensor, _ y: Tensor, _ slopes: [Float]?) {
        saved = Saved(x: x, y: y, slopes: slopes)
        activityPenalty = 0
        guard let activityRegularizer else { return }
        var unused = [Float](repeating: 0, count: y.values.count)
        activityPenalty = activityRegularizer.add(
            y.values, width: units, scale: 1 / Float(max(1, y.shape[0])), to: &unused)
    }

    private func packed() throws(RecurrentError) -> Packing {
        guard let inputs else { throw .notBuilt(layer: name) }
        var packing =
            self.packing
            ?? Packing(
                forward: PackedMatrix(rows: inputs, columns: units, kernels: kernels),
                back: PackedMatrix(rows: units, columns: inputs, kernels: kernels))
        let versions = parameters.map(\.version)
        if versions != packing.forwardVersions {
            packing.forward.pack(parameters[0].values, bias: useBias ? parameters[1].values : nil)
            packing.forwardVersions = versions
            self.packing = packing
        }
        return packing
    }

    public func backward(_ gradient: Tensor, wantsInputGradient: Bool) throws(RecurrentError) -> Tensor? {
        guard let saved, let inputs, var packing else { throw .nothingToDifferentiate(layer: name) }
        try gradient.checkShape("\(name): output gradient", saved.y.shape)
        var d = gradient.values
        if let activityRegularizer {
            _ = activityRegularizer.add(
                saved.y.values, width: units, scale: 1 / Float(max(1, gradient.shape[0])), to: &d)
        }
        if let slopes = saved.slopes { for index in d.indices { d[index] *= slopes[index] } }
        let rows = d.count / units
        parameterGradients(saved.x, d, rows, inputs)
        self.saved = nil
        guard wantsInputGradient else { return nil }
        if packing.backVersion != parameters[0].version {
            packing.back.packTransposed(parameters[0].values)
            packing.backVersion = parameters[0].version
            self.packing = packing
        }
        var dX = Tensor(zeros: saved.x.shape)
        d.withUnsafeBufferPointer { d in
            dX.withMutableValues { dX in
                guard let d = d.baseAddress, let dX = dX.baseAddress else { return }
                packing.back.multiply(rows, d, stride: units, to: dX, stride: inputs)
            }
        }
        return dX
    }

    private func parameterGradients(_ x: Tensor, _ d: [Float], _ rows: Int, _ inputs: Int) {
        let kernel = PackedGradient(rows: inputs, columns: units, kernels: kernels)
        let bias = PackedGradient(rows: 1, columns: units, kernels: kernels)
        let padded = AlignedFloats(count: rows * kernel.stride)
        for row in 0..<rows {
            for unit in 0..<units { padded.base[row * kernel.stride + unit] = d[row * units + unit] }
        }
        x.values.withUnsafeBufferPointer { x in
            guard let x = x.baseAddress else { return }
            kernel.add(rows, x, stride: inputs, padded.base)
        }
        var one: Float = 1
        bias.add(rows, &one, stride: 0, padded.base)
        kernel.unpack(to: &parameters[0].gradient)
        if useBias { bias.unpack(to: &parameters[1].gradient) }
    }
}
