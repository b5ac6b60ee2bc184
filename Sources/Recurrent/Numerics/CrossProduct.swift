internal import CRecurrentKernels

/// Σ xᵀ·y over many rows, in double precision: the normal equations of least squares.
///
/// The kernels multiply a few hundred rows at a time in float32, and those partial sums are accumulated in double
/// precision.
public final class CrossProduct {
    /// The number of leading columns of a row that form the left factor.
    public let depth: Int
    /// The number of columns of a row, all of which form the right factor.
    public let columns: Int
    /// Floats between rows: a multiple of the vector length of 16. The padding after the columns must be finite.
    public let stride: Int
    /// `[depth][columns]`.
    public private(set) var sums: [Double]
    private let kernels: Kernels
    private let layout: PackedLayout
    private let partial: AlignedFloats

    public init(depth: Int, columns: Int, kernels: Kernels = .best) {
        (self.depth, self.columns, self.kernels) = (depth, columns, kernels)
        stride = PackedGradient.stride(columns)
        sums = [Double](repeating: 0, count: depth * columns)
        layout = PackedLayout(rows: depth, columns: columns)
        partial = AlignedFloats(count: layout.count)
    }

    /// Adds `rows` rows, `stride` floats apart: at most a few hundred, so that the float32 sums stay accurate enough.
    public func add(rows: Int, _ x: UnsafePointer<Float>) {
        partial.clear(layout.count)
        kernels.table.pointee.accumulate(rows, depth, columns, x, stride, x, stride, partial.base)
        sums.withUnsafeMutableBufferPointer { sums in
            for row in 0..<depth {
                for column in 0..<columns {
                    sums[row * columns + column] += Double(partial.base[layout.index(row, column)])
                }
            }
        }
    }
}
