internal import CRecurrentKernels

/// Σ xᵀ·y over many rows, in double precision: the normal equations of least squares.
///
/// Rows are multiplied in float32 by the kernels, a few hundred at a time, and those sums are added up as doubles.
public final class CrossProduct {
    /// The first so many columns of a row are the left factor.
    public let depth: Int
    /// All columns of a row are the right factor.
    public let columns: Int
    /// Floats between rows: whole vectors of 16. What lies behind the columns must be finite.
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

    /// Adds `rows` rows, `stride` floats apart: at most a few hundred, so that float32 sums stay exact enough.
    public func add(rows: Int, _ x: UnsafePointer<Float>) {
        partial.clear(layout.count)
        kernels.table.pointee.accumulate(rows, depth, columns, x, stride, x, stride, partial.base)
        sums.withUnsafeMutableBufferPointer { sums in
            for row in 0..<depth {
                for column in 0..<columns {
                    sums[row * columns + column] += Double(partial.base[layout.place(row, column)])
                }
            }
        }
    }
}
