/// `Recurrent`: recurrent layers with Keras' semantics, training and weights files, without I/O.
internal import CRecurrentKernels

/// The set of kernels that layers compute with.
public struct Kernels: Sendable, Equatable {
    /// Points to a constant table of the C target, so any thread may use it.
    nonisolated(unsafe) let table: UnsafePointer<crk_kernels>

    /// The fastest set that this CPU supports.
    public static let best = Kernels(table: crk_best())

    /// Every set that this CPU supports, fastest first.
    public static var available: [Kernels] {
        ["avx512", "avx2", "neon", "sse2"].compactMap { Kernels(named: $0) }
    }

    /// The set called `name` (`avx512`, `avx2`, `neon`, `sse2`); nil if this CPU does not support it.
    public init?(named name: String) {
        guard let table = crk_named(name) else { return nil }
        self.table = table
    }

    private init(table: UnsafePointer<crk_kernels>) { self.table = table }

    public var name: String { String(cString: table.pointee.name) }

    /// Sets with equal arithmetic give bit-identical results; a state computed with different arithmetic should be
    /// rebuilt.
    public var arithmetic: String { String(cString: table.pointee.arithmetic) }

    /// sin(2πx) of every element.
    public func sin2pi(_ x: [Float]) -> [Float] { map(x) { table.pointee.vsin2pi($0, $1, $2) } }
    /// eˣ of every element; x is clamped to −87…88.
    public func exp(_ x: [Float]) -> [Float] { map(x) { table.pointee.vexp($0, $1, $2) } }
    /// `activation` of every element.
    public func apply(_ activation: Activation, to x: [Float]) -> [Float] {
        map(x) { table.pointee.activate(activation.code, $0, $1, $2, nil) }
    }

    private func map(
        _ x: [Float], _ function: (Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
    ) -> [Float] {
        [Float](count: x.count) { out in
            guard let target = out.baseAddress else { return }
            x.withUnsafeBufferPointer { source in if let from = source.baseAddress { function(x.count, from, target) } }
        }
    }
}
