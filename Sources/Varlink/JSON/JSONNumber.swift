/// A number as written: digits times a power of ten.
struct JSONNumber {
    let bytes: [UInt8]
    let range: Range<Int>
    private var mantissa: UInt64 = 0
    private var exponent = 0
    private var isNegative = false
    /// Whether `mantissa` and `exponent` represent the number exactly.
    private var isExact = true
    private(set) var isInteger = true

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        self.range = range
        var isFraction = false
        for index in range {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                append(byte - UInt8(ascii: "0"))
                if isFraction { exponent -= 1 }
            case UInt8(ascii: "-"): isNegative = true
            case UInt8(ascii: "."):
                isFraction = true
                isInteger = false
            default:
                // An exponent is rare, so the standard library parses it.
                isInteger = false
                isExact = false
                return
            }
        }
    }

    private mutating func append(_ digit: UInt8) {
        let (product, overflow) = mantissa.multipliedReportingOverflow(by: 10)
        let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
        if overflow || carry { isExact = false } else { mantissa = sum }
    }

    /// The integer; nil if there is a fraction or an exponent, or it does not fit.
    func integer<Value: FixedWidthInteger>(_ type: Value.Type) -> Value? {
        guard isInteger, isExact else { return nil }
        guard isNegative, mantissa > 0 else { return Value(exactly: mantissa) }
        guard let negative = Int64(exactly: -Int128(mantissa)) else { return nil }
        return Value(exactly: negative)
    }

    /// The nearest double; nil if it is out of range.
    ///
    /// A mantissa below 2^53 and a power up to 10^22 are both exact, so one division rounds only once: Clinger, "How to
    /// read floating point numbers accurately", 1990. The standard library handles everything else.
    var double: Double? {
        guard isExact, mantissa < 1 << 53, exponent >= -22 else {
            return Double(text).flatMap { $0.isFinite ? $0 : nil }
        }
        let value = Double(mantissa) / Self.powers[-exponent]
        return isNegative ? -value : value
    }

    /// The nearest float; nil if it is out of range.
    ///
    /// Rounding the nearest double to a float is wrong only if that double lies exactly between two floats or outside
    /// the normal range; then the standard library parses the digits.
    var float: Float? {
        guard let double else { return nil }
        let isBetween = double.bitPattern & 0x1FFF_FFFF == 0x1000_0000
        let isNormal = double == 0 || (abs(double) >= 0x1p-126 && abs(double) < 0x1p127)
        let float = isBetween || !isNormal ? Float(text) : Float(double)
        return float.flatMap { $0.isFinite ? $0 : nil }
    }

    private var text: String { String(decoding: bytes[range], as: UTF8.self) }

    private static let powers: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]
}
