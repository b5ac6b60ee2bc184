internal import CRecurrentKernels

/// y = x·kernel + bias with gradients, for callers who keep the arrays themselves, part by part: what ``Dense`` is to
/// whole tensors.
///
/// Forward runs through a ``DenseCell`` of the weights as they are; gradients are added up over any number of parts, and
/// ``finishGradients()`` hands their sums to the parameters.
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

    /// Floats between rows of an output's derivative: whole vectors of 16. What lies behind the outputs must be finite.
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

    /// The weights as they are now, ready to run.
    ///
    /// - Throws: ``RecurrentError/notFinite(tensor:)``.
    public func cell() throws(RecurrentError) -> DenseCell {
        try DenseCell(kernel: kernel.tensor, bias: bias?.tensor, kernels: kernels)
    }

    /// Forgets the sums, and takes the weights as they are for ``inputGradient(rows:_:to:stride:)``.
    public func beginGradients() {
        kernelSums.clear()
        biasSums.clear()
        back.packTransposed(kernel.values)
    }

    /// Adds the gradients of `rows` rows: x `[rows, inputs]`, `stride` floats apart; d `[rows, outputs]`,
    /// ``gradientStride`` apart.
    public func addGradients(rows: Int, _ x: UnsafePointer<Float>, stride: Int, _ d: UnsafePointer<Float>) {
        kernelSums.add(rows, x, stride: stride, d)
        guard bias != nil else { return }
        var one: Float = 1
        biasSums.add(rows, &one, stride: 0, d)
    }

    /// The derivative by the input, `[rows, inputs]`.
    public func inputGradient(
        rows: Int, _ d: UnsafePointer<Float>, to dX: UnsafeMutablePointer<Float>, stride: Int
    ) {
        back.multiply(rows, d, stride: gradientStride, to: dX, stride: stride)
    }

    public func finishGradients() {
        kernelSums.unpack(to: &kernel.gradient)
        if let bias { biasSums.unpack(to: &bias.gradient) }
    }
}
