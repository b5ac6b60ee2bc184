internal import CRecurrentKernels

/// An LSTM layer ready to step from reading to reading: only the weights, packed for the kernels.
///
/// Immutable, so any thread may step it; the caller owns the states. A step allocates nothing. The layer ``LSTM`` uses
/// the same kernels: a row gives the same bits in both, alone and in a batch, on every set of kernels with equal
/// ``Kernels/arithmetic``.
public final class LSTMCell: @unchecked Sendable {
    public let inputs: Int
    /// The length of `h`, of `c` and of each of the gates i, f, c, o.
    public let units: Int
    /// Never written after `init`, which makes the class Sendable.
    private let packed: PackedCell

    /// - Parameters:
    ///   - kernel: `[inputs, 4·units]`, gates in the order i, f, c, o.
    ///   - recurrentKernel: `[units, 4·units]`.
    ///   - bias: `[4·units]`; nil for a layer without a bias.
    ///   - activation: of the candidate and of the output.
    ///   - recurrentActivation: of the gates i, f and o.
    ///   - kernels: the instruction set that computes.
    /// - Throws: ``RecurrentError/shape(what:expected:actual:)``, ``RecurrentError/notFinite(tensor:)`` or
    ///   ``RecurrentError/argument(name:expected:actual:)``.
    public init(
        kernel: Tensor, recurrentKernel: Tensor, bias: Tensor?, activation: Activation = .tanh,
        recurrentActivation: Activation = .hardSigmoid, kernels: Kernels = .best
    ) throws(RecurrentError) {
        try recurrentKernel.checkShape("recurrent_kernel", [nil, nil])
        (inputs, units) = (kernel.shape.first ?? 0, recurrentKernel.shape[0])
        try Argument.positive("inputs", inputs)
        try Argument.positive("units", units)
        try kernel.checkShape("kernel", [inputs, 4 * units])
        try recurrentKernel.checkShape("recurrent_kernel", [units, 4 * units])
        try bias?.checkShape("bias", [4 * units])
        try kernel.checkFinite("kernel")
        try recurrentKernel.checkFinite("recurrent_kernel")
        try bias?.checkFinite("bias")
        packed = PackedCell(
            inputs: inputs, units: units, activation: activation, recurrentActivation: recurrentActivation,
            kernels: kernels)
        packed.pack(kernel: kernel.values, recurrentKernel: recurrentKernel.values, bias: bias?.values)
    }

    /// Steps `rows` rows once, in place.
    ///
    /// Nothing is checked: this is the innermost loop of a stream.
    ///
    /// - Parameters:
    ///   - rows: how many rows.
    ///   - x: `[rows, inputs]`.
    ///   - xStride: floats from one row of `x` to the next.
    ///   - h: `[rows, units]`: the hidden states, replaced by those after the step.
    ///   - c: `[rows, units]`, likewise, for the cell states.
    ///   - stride: floats from one row of `h` and of `c` to the next.
    public func step(
        rows: Int, x: UnsafePointer<Float>, xStride: Int, h: UnsafeMutablePointer<Float>,
        c: UnsafeMutablePointer<Float>, stride: Int
    ) {
        packed.withCell { kernels, cell in kernels.pointee.stream(cell, rows, x, xStride, h, c, stride) }
    }

    /// Steps one sample once, in place: x `[inputs]`, h and c `[units]`.
    ///
    /// - Throws: ``RecurrentError/shape(what:expected:actual:)`` or ``RecurrentError/notFinite(tensor:)``; the states are
    ///   then unchanged.
    public func step(_ x: [Float], h: inout [Float], c: inout [Float]) throws(RecurrentError) {
        guard x.count == inputs else { throw .shape(what: "x", expected: [inputs], actual: [x.count]) }
        guard h.count == units else { throw .shape(what: "h", expected: [units], actual: [h.count]) }
        guard c.count == units else { throw .shape(what: "c", expected: [units], actual: [c.count]) }
        guard x.isFinite else { throw .notFinite(tensor: "x") }
        x.withUnsafeBufferPointer { x in
            h.withUnsafeMutableBufferPointer { h in
                c.withUnsafeMutableBufferPointer { c in
                    guard let x = x.baseAddress, let h = h.baseAddress, let c = c.baseAddress else { return }
                    step(rows: 1, x: x, xStride: inputs, h: h, c: c, stride: units)
                }
            }
        }
    }
}
