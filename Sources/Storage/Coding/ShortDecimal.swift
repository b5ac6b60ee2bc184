/// Doubles that are whole numbers over a small power of ten, as most sensors send.
///
/// Both number and power are exact, so the division rounds once and the value comes back to the bit.
enum ShortDecimal {
    private static let powers: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6]

    /// The whole number that is `value` · 10^`digits`, if there is one that takes less room than a double.
    ///
    /// - Parameter digits: what did for the value before, 0…6; changed where it does not for this one.
    static func whole(_ value: Double, digits: inout Int) -> Int64? {
        if let found = scaled(value, digits) { return found }
        // One look at the most digits saves seven at a value that has more.
        let most = value * 1e6
        guard (most - most.rounded()).magnitude <= most.magnitude * 0x1p-50 else { return nil }
        for other in powers.indices {
            if let found = scaled(value, other) {
                digits = other
                return found
            }
        }
        return nil
    }

    static func value(_ whole: Int64, digits: Int) -> Double { Double(whole) / powers[digits] }

    /// Below 2^47, a zigzag number has at most seven bytes.
    private static func scaled(_ value: Double, _ digits: Int) -> Int64? {
        let product = (value * powers[digits]).rounded()
        guard product.magnitude < 0x1p47 else { return nil }
        let whole = Int64(product)
        // Of the bits: a whole number has no negative zero.
        return self.value(whole, digits: digits).bitPattern == value.bitPattern ? whole : nil
    }
}
