internal import CRecurrentKernels

/// A dense layer ready to run row by row: only the weights, packed for the kernels.
///
/// Immutable, so any thread may run it; a row gives the same bits alone and in a batch.
public final class DenseCell: @unchecked Sendable {
    public let inputs: Int
    public let units: Int
    private let activation: Activation
    private let kernels: Kernels
    /// Never written after `init`, which makes the class Sendable.
    private let packed: PackedMatrix

    /// - Parameters:
    ///   - kernel: `[inputs, units]`.
    ///   - bias: `[units]`; nil for a layer without a bias.
    ///   - activation: of the output.
    ///   - kernels: the instruction set that computes.
    /// - Throws: ``RecurrentError/shape(what:expected:actual:)``, ``RecurrentError/notFinite(tensor:)`` or
    ///   ``RecurrentError/argument(name:expected:actual:)``.
    public init(
        kernel: Tensor, bias: Tensor?, activation: Activation = .linear, kernels: Kernels = .best
    ) throws(RecurrentError) {
        try kernel.checkShape("kernel", [nil, nil])
        (inputs, units) = (kernel.shape[0], kernel.shape[1])
        try Argument.positive("inputs", inputs)
        try Argument.positive("units", units)
        try bias?.checkShape("bias", [units])
        try kernel.checkFinite("kernel")
        try bias?.checkFinite("bias")
        (self.activation, self.kernels) = (activation, kernels)
        packed = PackedMatrix(rows: inputs, columns: units, kernels: kernels)
        packed.pack(kernel.values, bias: bias?.values)
    }

    /// Runs `rows` rows without checking anything.
    ///
    /// - Parameters:
    ///   - rows: how many rows.
    ///   - x: `[rows, inputs]`.
    ///   - xStride: floats from one row of `x` to the next.
    ///   - y: `[rows, units]`, contiguous.
    public func forward(rows: Int, x: UnsafePointer<Float>, xStride: Int, y: UnsafeMutablePointer<Float>) {
        packed.multiply(rows, x, stride: xStride, to: y, stride: units)
        if activation == .linear { return }
        kernels.table.pointee.activate(activation.code, rows * units, y, y, nil)
    }
}
