internal import CRecurrentKernels

/// y = x·kernel + bias with gradients, for callers that manage their own arrays chunk by chunk; the counterpart of
/// ``Dense`` for whole tensors.
///
/// The forward pass runs through a ``DenseCell`` of the current weights; gradients are accumulated over any number of
/// chunks, and ``finishGradients()`` writes their sums to the parameters.
public final class Projection {
    public let inputs: Int
    public let outputs: Int
    /// `kernel`, `[inputs, outputs]`.
    public let kernel: Parameter
    /// `[outputs]`.
    public let bias: Parameter?
    private let kernels: Kernels
    private let kernelSums: PackedGradient
    private let biasSums: PackedGradient
    private let back: PackedMatrix

    public var parameters: [Parameter] { [kernel] + (bias.map { [$0] } ?? []) }

    /// Floats between rows of an output's derivative: a multiple of the vector length of 16. The padding after the
    /// outputs must be finite.
    public var gradientStride: Int { PackedGradient.stride(outputs) }

    /// - Throws: ``RecurrentError/argument(name:expected:actual:)`` for no inputs or outputs.
    public init(
        _ inputs: Int, _ outputs: Int, useBias: Bool = true, initializer: Initializer = .glorotUniform,
        biasInitializer: Initializer = .zeros, _ random: inout RandomSource, kernels: Kernels = .best
    ) throws(RecurrentError) {
        try Argument.positive("inputs", inputs)
        try Argument.positive("outputs", outputs)
        (self.inputs, self.outputs, self.kernels) = (inputs, outputs, kernels)
        kernel = Parameter("kernel", [inputs, outputs], initializer.values([inputs, outputs], &random))
        bias = useBias ? Parameter("bias", [outputs], biasInitializer.values([outputs], &random)) : nil
        kernelSums = PackedGradient(rows: inputs, columns: outputs, kernels: kernels)
        biasSums = PackedGradient(rows: 1, columns: outputs, kernels: kernels)
        back = PackedMatrix(rows: outputs, columns: inputs, kernels: kernels)
    }

    /// A cell with the current weights, ready to run.
    ///
    /// - Throws: ``RecurrentError/notFinite(tensor:)``.
    public func cell() throws(RecurrentError) -> DenseCell {
        try DenseCell(kernel: kernel.tensor, bias: bias?.tensor, kernels: kernels)
    }

    /// Clears the sums, and packs the current weights for ``inputGradient(rows:_:to:stride:)``.
    public func beginGradients() {
        kernelSums.clear()
        biasSums.clear()
        back.packTransposed(kernel.values)
    }

    /// Accumulates the gradients of `rows` rows: x `[rows, inputs]`, `stride` floats apart; d `[rows, outputs]`,
    /// ``gradientStride`` floats apart.
    public func addGradients(rows: Int, _ x: UnsafePointer<Float>, stride: Int, _ d: UnsafePointer<Float>) {
        kernelSums.add(rows, x, stride: stride, d)
        guard bias != nil else { return }
        var one: Float = 1
        biasSums.add(rows, &one, stride: 0, d)
    }

    /// Writes the derivative with respect to the input, `[rows, inputs]`.
    public func inputGradient(
        rows: Int, _ d: UnsafePointer<Float>, to dX: UnsafeMutablePointer<Float>, stride: Int
    ) {
        back.multiply(rows, d, stride: gradientStride, to: dX, stride: stride)
    }

    /// Writes the accumulated sums to the parameters' gradients.
    public func finishGradients() {
        kernelSums.unpack(to: &kernel.gradient)
        if let bias { biasSums.unpack(to: &bias.gradient) }
    }
}
