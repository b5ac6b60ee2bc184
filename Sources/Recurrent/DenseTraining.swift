/// The weights of a dense layer, Keras' layout.
public struct DenseWeights: Sendable, Equatable {
    public let inputs: Int
    public let units: Int
    /// `[inputs, units]`.
    public var kernel: [Float]
    /// `[units]`.
    public var bias: [Float]

    /// Glorot uniform scaled by `gain`, bias zero.
    public init(inputs: Int, units: Int, gain: Float = 1, _ random: inout RandomSource) {
        (self.inputs, self.units) = (inputs, units)
        kernel = Initializers.glorotUniform(rows: inputs, columns: units, &random).map { $0 * gain }
        bias = [Float](repeating: 0, count: units)
    }

    /// The layer ready to run.
    public func layer(kernels: Kernels = .best) throws(RecurrentError) -> Dense {
        try Dense(inputs: inputs, units: units, kernel: kernel, bias: bias, kernels: kernels)
    }

    /// The gradients by kernel, bias and input.
    ///
    /// - Parameters:
    ///   - x: `[rows, inputs]` as given to the layer.
    ///   - outputGradient: `[rows, units]`.
    public func backward(x: [Float], outputGradient: [Float], rows: Int, kernels: Kernels = .best)
        throws(RecurrentError) -> (kernel: [Float], bias: [Float], input: [Float])
    {
        guard x.count == rows * inputs else {
            throw .shape(what: "input", expected: [rows, inputs], actual: [x.count])
        }
        guard outputGradient.count == rows * units else {
            throw .shape(what: "outputGradient", expected: [rows, units], actual: [outputGradient.count])
        }
        var kernelGradient = [Float](repeating: 0, count: kernel.count)
        var biasGradient = [Float](repeating: 0, count: units)
        let ones = [Float](repeating: 1, count: rows)
        kernels.accumulate(x, outputGradient, rows: rows, inputs: inputs, columns: units, into: &kernelGradient)
        kernels.accumulate(ones, outputGradient, rows: rows, inputs: 1, columns: units, into: &biasGradient)
        let back = TransposedKernel(kernel, rows: inputs, columns: units, kernels: kernels)
        return (kernelGradient, biasGradient, back.apply(outputGradient, at: 0, rows: rows))
    }
}
