/// Which numbers of a forecast can be worked with: those up to 10³⁰, far above any value of a slot (10¹⁸), whose
/// differences and sums stay within float32.
///
/// NaN, infinities and larger numbers come from models that have exploded and from plugins. A forecast with one of them is
/// no forecast: it is neither told nor scored.
enum UsableForecast {
    static let limit: Float = 1e30

    static func isUsable(_ x: Float) -> Bool { x.magnitude <= limit }

    /// Whether all of `values`, `[count]`, are.
    static func isUsable(_ values: UnsafePointer<Float>, _ count: Int) -> Bool {
        // As integers, magnitudes have the order of the numbers, with the infinities and NaN above all of them.
        var largest: UInt32 = 0
        for place in 0..<count { largest = max(largest, values[place].bitPattern & 0x7FFF_FFFF) }
        return largest <= limit.bitPattern
    }
}
