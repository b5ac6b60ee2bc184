/// Doubles that are integers over a small power of ten, as most sensors send.
///
/// Both the integer and the power are exact, so the division rounds only once and the value is restored bit for bit.
enum ShortDecimal {
    private static let powers: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6]

    /// The integer `value` · 10^`digits`, if there is one that takes less space than a double.
    ///
    /// - Parameter digits: the number of decimals of the previous value, 0…6; changed if this value needs another.
    static func integer(_ value: Double, digits: inout Int) -> Int64? {
        if let integer = scaled(value, digits) { return integer }
        // Testing the most decimals first saves seven tests for a value that has more.
        let most = value * 1e6
        guard (most - most.rounded()).magnitude <= most.magnitude * 0x1p-50 else { return nil }
        for other in powers.indices {
            if let integer = scaled(value, other) {
                digits = other
                return integer
            }
        }
        return nil
    }

    static func value(_ integer: Int64, digits: Int) -> Double { Double(integer) / powers[digits] }

    /// Below 2^47 in magnitude, a zigzag number has at most seven bytes.
    private static func scaled(_ value: Double, _ digits: Int) -> Int64? {
        let product = (value * powers[digits]).rounded()
        guard product.magnitude < 0x1p47 else { return nil }
        let integer = Int64(product)
        // Compares bits, because an integer has no negative zero.
        return self.value(integer, digits: digits).bitPattern == value.bitPattern ? integer : nil
    }
}
