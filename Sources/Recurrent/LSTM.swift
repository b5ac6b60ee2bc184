internal import CRecurrentKernels

/// One LSTM layer ready to step: Keras' cell, packed for the kernels.
///
/// Immutable, so any thread may step it; the states are the caller's.
public final class LSTM: Sendable {
    public let inputs: Int
    public let units: Int
    let kernels: Kernels
    let activation: RecurrentActivation
    private let packed: [Float]
    private let bias: [Float]
    /// Rows whose gate sums are kept at a time: 64 rows of 64 units are 64 KiB, which stays in the nearer caches.
    private static let tile = 64

    public init(
        _ weights: LSTMWeights, recurrentActivation: RecurrentActivation = .sigmoid, kernels: Kernels = .best
    ) {
        (inputs, units) = (weights.inputs, weights.units)
        (self.kernels, activation) = (kernels, recurrentActivation)
        packed = kernels.packed(
            weights.kernel + weights.recurrentKernel, rows: weights.inputs + weights.units, columns: 4 * weights.units)
        bias = weights.bias
    }

    /// Steps `rows` rows once, in place.
    ///
    /// - Parameters:
    ///   - x: `[rows, inputs]`, rows `xStride` floats apart.
    ///   - h: `[rows, units]`, rows `stride` floats apart: the hidden states before, then after.
    ///   - c: `[rows, units]`, likewise: the cell states.
    public func step(
        rows: Int, x: UnsafePointer<Float>, xStride: Int, h: UnsafeMutablePointer<Float>,
        c: UnsafeMutablePointer<Float>, stride: Int
    ) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: min(rows, Self.tile) * 4 * units) { z in
            guard let z = z.baseAddress else { return }
            for first in Swift.stride(from: 0, to: rows, by: Self.tile) {
                let count = min(Self.tile, rows - first)
                let (h, c) = (h + first * stride, c + first * stride)
                gates(rows: count, x: x + first * xStride, xStride: xStride, h: h, hStride: stride, z: z)
                kernels.table.pointee.cell(count, units, activation.rawValue, z, c, stride, h, stride, nil)
            }
        }
    }

    /// z = bias + x·kernel + h·recurrentKernel, `[rows, 4·units]`.
    func gates(
        rows: Int, x: UnsafePointer<Float>, xStride: Int, h: UnsafePointer<Float>, hStride: Int,
        z: UnsafeMutablePointer<Float>
    ) {
        packed.withUnsafeBufferPointer { packed in
            bias.withUnsafeBufferPointer { bias in
                guard let w = packed.baseAddress, let b = bias.baseAddress else { return }
                kernels.table.pointee.affine(rows, inputs, units, 4 * units, w, b, x, xStride, h, hStride, z, 4 * units)
            }
        }
    }
}
