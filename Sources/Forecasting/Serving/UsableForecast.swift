/// Decides which numbers in a forecast are usable: those up to 10³⁰ in magnitude, far above any slot value (10¹⁸), so
/// that their differences and sums stay within float32.
///
/// NaN, infinities and larger numbers come from diverged models and from plugins. A forecast that contains one of them
/// counts as missing: it is neither published nor scored.
enum UsableForecast {
    static let limit: Float = 1e30

    static func isUsable(_ x: Float) -> Bool { x.magnitude <= limit }

    /// Whether all of `values`, `[count]`, are usable.
    static func isUsable(_ values: UnsafePointer<Float>, _ count: Int) -> Bool {
        // As integers, bit patterns of magnitudes sort like the numbers, with infinities and NaN above all of them.
        var largest: UInt32 = 0
        for index in 0..<count { largest = max(largest, values[index].bitPattern & 0x7FFF_FFFF) }
        return largest <= limit.bitPattern
    }
}
