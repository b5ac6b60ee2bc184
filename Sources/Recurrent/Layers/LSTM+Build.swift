extension LSTM {
    /// Creates the weights for inputs of `shape`, `[timesteps, inputs]`; a layer that is already built checks the
    /// width.
    public func build(_ shape: [Int?], _ random: inout RandomSource) throws(RecurrentError) -> [Int?] {
        guard shape.count == 2, let width = shape[1] else {
            throw .argument(
                name: "\(name): input", expected: "[timesteps, inputs] with a known number of inputs",
                actual: "\(shape.map { $0.map(String.init) ?? "any" })")
        }
        try Argument.positive("\(name): inputs", width)
        if let inputs, inputs != width {
            throw .shape(what: "\(name): input", expected: [nil, nil, inputs], actual: [0, shape[0] ?? 0, width])
        }
        if inputs == nil { makeParameters(inputs: width, &random) }
        return returnSequences ? [shape[0], units] : [units]
    }

    private func makeParameters(inputs: Int, _ random: inout RandomSource) {
        self.inputs = inputs
        defer { dropoutSource = RandomSource(seed: random.next()) }
        parameters = [
            Parameter(
                "kernel", [inputs, 4 * units], initializers.kernel.values([inputs, 4 * units], &random),
                regularizer: regularizers.kernel, constraint: constraints.kernel),
            Parameter(
                "recurrent_kernel", [units, 4 * units], initializers.recurrent.values([units, 4 * units], &random),
                regularizer: regularizers.recurrent, constraint: constraints.recurrent),
        ]
        guard useBias else { return }
        var bias = initializers.bias.values([4 * units], &random)
        if initializers.unitForgetBias { for unit in units..<2 * units { bias[unit] = 1 } }
        parameters.append(
            Parameter("bias", [4 * units], bias, regularizer: regularizers.bias, constraint: constraints.bias))
    }

    /// A cell with this layer's weights, to step from reading to reading.
    ///
    /// - Throws: ``RecurrentError/notBuilt(layer:)``.
    public func cell() throws(RecurrentError) -> LSTMCell {
        guard parameters.count >= 2 else { throw .notBuilt(layer: name) }
        return try LSTMCell(
            kernel: parameters[0].tensor, recurrentKernel: parameters[1].tensor,
            bias: useBias ? parameters[2].tensor : nil, activation: activation,
            recurrentActivation: recurrentActivation, kernels: kernels)
    }
}

/// The weights of a layer packed for its forward and backward passes, and the versions that were packed.
struct LSTMPacking {
    let cell: PackedCell
    let recurrentBack: PackedMatrix
    let inputBack: PackedMatrix
    let kernelGradient: PackedGradient
    let biasGradient: PackedGradient
    private var forward: [Int] = []
    private var backward: [Int] = []

    init(_ cell: PackedCell) {
        self.cell = cell
        let columns = cell.blocks * 64
        recurrentBack = PackedMatrix(rows: columns, columns: cell.hiddenDepth, kernels: cell.kernels)
        inputBack = PackedMatrix(rows: columns, columns: cell.inputDepth, kernels: cell.kernels)
        kernelGradient = PackedGradient(rows: cell.depth, columns: columns, kernels: cell.kernels)
        biasGradient = PackedGradient(rows: 1, columns: columns, kernels: cell.kernels)
    }

    mutating func updateForward(_ parameters: [Parameter]) {
        let versions = parameters.map(\.version)
        guard versions != forward else { return }
        cell.pack(
            kernel: parameters[0].values, recurrentKernel: parameters[1].values,
            bias: parameters.count > 2 ? parameters[2].values : nil)
        forward = versions
    }

    mutating func updateBackward(_ parameters: [Parameter]) {
        let versions = parameters.map(\.version)
        guard versions != backward else { return }
        inputBack.packTransposed(gates: parameters[0].values, units: cell.units, perGate: cell.perGate.inputs)
        recurrentBack.packTransposed(gates: parameters[1].values, units: cell.units, perGate: cell.perGate.hidden)
        backward = versions
    }

    /// Sets the parameters' gradients from the packed sums.
    func unpack(to parameters: [Parameter]) {
        unpack(kernelGradient, first: 0, perGate: cell.perGate.inputs, to: parameters[0])
        unpack(kernelGradient, first: cell.inputDepth, perGate: cell.perGate.hidden, to: parameters[1])
        if parameters.count > 2 { unpack(biasGradient, first: 0, perGate: false, to: parameters[2]) }
    }

    private func unpack(_ packed: PackedGradient, first: Int, perGate: Bool, to parameter: Parameter) {
        packed.unpack(
            units: cell.units, first: first, perGate: perGate, to: &parameter.gradient)
    }
}
