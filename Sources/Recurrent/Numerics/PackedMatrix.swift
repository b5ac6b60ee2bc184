internal import CRecurrentKernels

/// The layout of a matrix `[rows, columns]` in blocks of 64 columns, `[ceil(columns/64)][rows][64]`, as the kernels
/// read and write it.
struct PackedLayout {
    let rows: Int
    let columns: Int

    /// The total number of floats, including the padding of the last block.
    var count: Int { rows * ((columns + 63) / 64) * 64 }

    @inline(__always)
    func index(_ row: Int, _ column: Int) -> Int { (column / 64 * rows + row) * 64 + column % 64 }
}

/// A matrix `[rows, columns]`, packed as in ``PackedLayout``.
final class PackedMatrix {
    let rows: Int
    let columns: Int
    private let kernels: Kernels
    private let weights: AlignedFloats
    private let bias: AlignedFloats

    init(rows: Int, columns: Int, kernels: Kernels) {
        (self.rows, self.columns, self.kernels) = (rows, columns, kernels)
        weights = AlignedFloats(count: PackedLayout(rows: rows, columns: columns).count)
        bias = AlignedFloats(count: PackedLayout(rows: 1, columns: columns).count)
    }

    /// Packs the values `[rows, columns]` and, if there is one, the bias `[columns]`.
    func pack(_ values: [Float], bias: [Float]?) {
        values.withUnsafeBufferPointer { values in
            for column in 0..<columns {
                let start = weights.base + PackedLayout(rows: rows, columns: columns).index(0, column)
                for row in 0..<rows { start[row * 64] = values[row * columns + column] }
            }
        }
        if let bias { for column in bias.indices { self.bias.base[column] = bias[column] } }
    }

    /// Packs the transpose of the values `[columns, rows]`.
    func packTransposed(_ values: [Float]) {
        values.withUnsafeBufferPointer { values in
            for column in 0..<columns {
                let start = weights.base + PackedLayout(rows: rows, columns: columns).index(0, column)
                for row in 0..<rows { start[row * 64] = values[column * rows + row] }
            }
        }
    }

    /// Packs the transpose of an LSTM's kernel, `[columns, 4·units]` or with `perGate` a quarter of the columns, with
    /// rows in the order of packed gates.
    func packTransposed(gates values: [Float], units: Int, perGate: Bool) {
        values.withUnsafeBufferPointer { values in
            guard let kernel = values.baseAddress else { return }
            crk_pack_transposed(values.count / (4 * units), units, perGate ? 1 : 0, kernel, weights.base)
        }
    }

    /// y = bias + x·matrix for `count` rows: x `[count, rows]`, y `[count, columns]`, strides in floats.
    ///
    /// The data `ahead` is prefetched into the cache meanwhile.
    func multiply(
        _ count: Int, _ x: UnsafePointer<Float>, stride: Int, to y: UnsafeMutablePointer<Float>, stride yStride: Int,
        ahead: UnsafePointer<crk_ahead>? = nil
    ) {
        kernels.table.pointee.affine(count, rows, columns, weights.base, bias.base, x, stride, y, yStride, ahead)
    }
}

/// The sum of outer products xᵀ·d over rows, packed like ``PackedMatrix``.
final class PackedGradient {
    let rows: Int
    let columns: Int
    private let kernels: Kernels
    let sums: AlignedFloats
    private let layout: PackedLayout

    init(rows: Int, columns: Int, kernels: Kernels) {
        (self.rows, self.columns, self.kernels) = (rows, columns, kernels)
        layout = PackedLayout(rows: rows, columns: columns)
        sums = AlignedFloats(count: layout.count)
    }

    /// Floats between rows of d: the kernels read whole vectors.
    var stride: Int { Self.stride(columns) }

    static func stride(_ columns: Int) -> Int { (columns + 15) / 16 * 16 }

    func clear() { sums.clear(layout.count) }

    /// Adds `count` rows: x `[count, rows]`, d `[count, columns]`, with the rows of d `apart` floats apart (``stride``
    /// by default) and any padding finite.
    func add(_ count: Int, _ x: UnsafePointer<Float>, stride: Int, _ d: UnsafePointer<Float>, apart: Int? = nil) {
        kernels.table.pointee.accumulate(count, rows, columns, x, stride, d, apart ?? self.stride, sums.base)
    }
}

extension PackedGradient {
    /// Unpacks the rows from `first` on as an LSTM's kernel `[rows, 4·units]`.
    func unpack(units: Int, first: Int, perGate: Bool, to gradient: inout [Float]) {
        gradient.withUnsafeMutableBufferPointer { gradient in
            guard let to = gradient.baseAddress else { return }
            crk_unpack(gradient.count / (4 * units), units, perGate ? 1 : 0, rows, first, sums.base, to)
        }
    }

    /// Unpacks the sums as a matrix `[rows, columns]`.
    func unpack(to gradient: inout [Float]) {
        for row in 0..<rows {
            for column in 0..<columns {
                gradient[row * columns + column] = sums.base[layout.index(row, column)]
            }
        }
    }
}
