internal import CRecurrentKernels

extension Kernels {
    private var maps: UnsafePointer<crk_maps> { crk_maps_named(table.pointee.name) }

    /// ln x of every element; x is clamped to at least 1.2e-38.
    public func log(_ x: [Float]) -> [Float] { mapped(x) { maps.pointee.vlog($0, $1, $2) } }
    /// asinh x of every element; |x| is clamped to 1e18.
    public func asinh(_ x: [Float]) -> [Float] { mapped(x) { maps.pointee.vasinh($0, $1, $2) } }

    private func mapped(
        _ x: [Float], _ function: (Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
    ) -> [Float] {
        var y = x
        y.withUnsafeMutableBufferPointer { y in if let y = y.baseAddress { function(x.count, y, y) } }
        return y
    }

    /// y = ln x for `count` elements.
    ///
    /// Nothing is checked, and y may alias x; this also holds for the methods below.
    public func log(_ count: Int, _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>) {
        maps.pointee.vlog(count, x, y)
    }

    /// y = asinh x.
    public func asinh(_ count: Int, _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>) {
        maps.pointee.vasinh(count, x, y)
    }

    /// y = eˣ.
    public func exp(_ count: Int, _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>) {
        table.pointee.vexp(count, x, y)
    }

    /// y = activation(x); `slopes`, if given, receives the derivative.
    public func apply(
        _ activation: Activation, _ count: Int, _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>,
        slopes: UnsafeMutablePointer<Float>? = nil
    ) {
        table.pointee.activate(activation.code, count, x, y, slopes)
    }
}
