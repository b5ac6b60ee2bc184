internal import CRecurrentKernels

/// A kernel `[rows, columns]` packed to carry gradients from its outputs back to its inputs.
struct TransposedKernel {
    private let packed: [Float]
    private let zeros: [Float]
    private let rows: Int
    private let columns: Int
    private let kernels: Kernels

    init(_ kernel: [Float], rows: Int, columns: Int, kernels: Kernels) {
        var transposed = [Float](repeating: 0, count: kernel.count)
        for row in 0..<rows {
            for column in 0..<columns { transposed[column * rows + row] = kernel[row * columns + column] }
        }
        packed = kernels.packed(transposed, rows: columns, columns: rows)
        zeros = [Float](repeating: 0, count: rows)
        (self.rows, self.columns, self.kernels) = (rows, columns, kernels)
    }

    /// `gradients[offset...] · kernelᵀ`: `[count, columns]` → `[count, rows]`.
    func apply(_ gradients: [Float], at offset: Int, rows count: Int) -> [Float] {
        [Float](unsafeUninitializedCapacity: count * rows) { out, size in
            size = count * rows
            gradients.withUnsafeBufferPointer { d in
                packed.withUnsafeBufferPointer { w in
                    zeros.withUnsafeBufferPointer { b in
                        guard let d = d.baseAddress, let w = w.baseAddress, let b = b.baseAddress,
                            let y = out.baseAddress
                        else { return }
                        kernels.table.pointee.affine(
                            count, columns, 0, rows, w, b, d + offset, columns, nil, 0, y, rows)
                    }
                }
            }
        }
    }
}

extension Kernels {
    /// `into[inputs, columns] += xᵀ · d` over `rows` rows.
    func accumulate(_ x: [Float], _ d: [Float], rows: Int, inputs: Int, columns: Int, into: inout [Float]) {
        x.withUnsafeBufferPointer { x in
            d.withUnsafeBufferPointer { d in
                into.withUnsafeMutableBufferPointer { w in
                    guard let x = x.baseAddress, let d = d.baseAddress, let w = w.baseAddress else { return }
                    table.pointee.accumulate(rows, inputs, columns, x, inputs, d, columns, w)
                }
            }
        }
    }
}
