internal import CRecurrentKernels

/// y = x·kernel + bias, Keras' `Dense` without an activation. Immutable.
public final class Dense: Sendable {
    public let inputs: Int
    public let units: Int
    private let kernels: Kernels
    private let packed: [Float]
    private let bias: [Float]

    /// - Parameters:
    ///   - kernel: `[inputs, units]`.
    ///   - bias: `[units]`.
    public init(inputs: Int, units: Int, kernel: [Float], bias: [Float], kernels: Kernels = .best)
        throws(RecurrentError)
    {
        guard kernel.count == inputs * units else {
            throw .shape(what: "kernel", expected: [inputs, units], actual: [kernel.count])
        }
        guard bias.count == units else { throw .shape(what: "bias", expected: [units], actual: [bias.count]) }
        (self.inputs, self.units, self.kernels, self.bias) = (inputs, units, kernels, bias)
        packed = kernels.packed(kernel, rows: inputs, columns: units)
    }

    /// - Parameters:
    ///   - x: `[rows, inputs]`, rows `xStride` floats apart.
    ///   - y: `[rows, units]`, dense.
    public func forward(rows: Int, x: UnsafePointer<Float>, xStride: Int, y: UnsafeMutablePointer<Float>) {
        packed.withUnsafeBufferPointer { packed in
            bias.withUnsafeBufferPointer { bias in
                guard let w = packed.baseAddress, let b = bias.baseAddress else { return }
                kernels.table.pointee.affine(rows, inputs, 0, units, w, b, x, xStride, nil, 0, y, units)
            }
        }
    }
}
