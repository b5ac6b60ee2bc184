/// `Recurrent`: recurrent layers with Keras' semantics, their training and their weights files. No input or output.
internal import CRecurrentKernels

/// The set of kernels that layers compute with.
public struct Kernels: Sendable, Equatable {
    /// Points to a constant table of the C target, so it may be used from any thread.
    nonisolated(unsafe) let table: UnsafePointer<crk_kernels>

    /// The fastest set this CPU has.
    public static let best = Kernels(table: crk_best())

    /// The set called `name` (`avx512`, `avx2`, `neon`, `sse2`); nil if this CPU has none of that name.
    public init?(named name: String) {
        guard let table = crk_named(name) else { return nil }
        self.table = table
    }

    private init(table: UnsafePointer<crk_kernels>) { self.table = table }

    public var name: String { String(cString: table.pointee.name) }

    /// Sets with equal arithmetic give equal bits; a state computed with another should be rebuilt.
    public var arithmetic: String { String(cString: table.pointee.arithmetic) }

    /// sin(2πx) of every element.
    public func sin2pi(_ x: [Float]) -> [Float] { map(x, table.pointee.vsin2pi) }
    /// tanh of every element.
    public func tanh(_ x: [Float]) -> [Float] { map(x, table.pointee.vtanh) }
    /// 1 / (1 + e⁻ˣ) of every element.
    public func sigmoid(_ x: [Float]) -> [Float] { map(x, table.pointee.vsigmoid) }
    /// eˣ of every element; x is held inside −87…88.
    public func exp(_ x: [Float]) -> [Float] { map(x, table.pointee.vexp) }

    private typealias Elementwise = @convention(c) (Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void

    private func map(_ x: [Float], _ function: Elementwise) -> [Float] {
        [Float](unsafeUninitializedCapacity: x.count) { out, count in
            count = x.count
            guard let target = out.baseAddress, !x.isEmpty else { return }
            x.withUnsafeBufferPointer { source in if let from = source.baseAddress { function(x.count, from, target) } }
        }
    }

    /// `[rows, columns]` row-major in blocks of columns, as the kernels read it.
    func packed(_ weights: [Float], rows: Int, columns: Int) -> [Float] {
        let block = table.pointee.block
        let blocks = (columns + block - 1) / block
        var out = [Float](repeating: 0, count: blocks * rows * block)
        for column in 0..<columns {
            let base = column / block * rows * block + column % block
            for row in 0..<rows { out[base + row * block] = weights[row * columns + column] }
        }
        return out
    }
}
