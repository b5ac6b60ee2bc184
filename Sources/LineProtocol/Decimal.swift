/// A decimal number at an offset in a byte buffer: `[-]digits[.digits][e[±]digits]`.
///
/// It converts to the nearest double, ties to even, in integer arithmetic: the digits `w` are at most 19 and the power
/// of ten `q` is between -27 and 27, so `w · 5^q` or `w / 5^-q` fits 128 bits and the power of two is exact. (The case
/// in which both operands fit a double is from Clinger, "How to read floating point numbers accurately", 1990.)
struct Decimal {
    /// The offset after the number.
    let end: Int
    /// Whether the digits fit and the syntax is complete; if not, another parser has to read the number.
    let isExact: Bool
    /// Whether the number has neither a decimal point nor an exponent.
    let isWhole: Bool
    private let isNegative: Bool
    private let digits: UInt64
    private let power: Int

    @inline(__always)
    init(_ bytes: Bytes, at start: Int) {
        isNegative = bytes[start] == Byte.minus
        var offset = isNegative ? start + 1 : start
        let first = offset
        var digits: UInt64 = 0
        while Byte.isDigit(bytes[offset]) {
            digits = digits &* 10 &+ UInt64(bytes[offset] &- 0x30)
            offset += 1
        }
        var count = offset - first
        var power = 0
        var isWhole = true
        if bytes[offset] == Byte.dot {
            isWhole = false
            offset += 1
            let fraction = offset
            while Byte.isDigit(bytes[offset]) {
                digits = digits &* 10 &+ UInt64(bytes[offset] &- 0x30)
                offset += 1
            }
            power = fraction - offset
            count -= power
        }
        var isComplete = count > 0 && count <= 19
        if bytes[offset] | 0x20 == UInt8(ascii: "e") {
            isWhole = false
            offset += 1
            let isMinus = bytes[offset] == Byte.minus
            if isMinus || bytes[offset] == Byte.plus { offset += 1 }
            let first = offset
            var exponent = 0
            while Byte.isDigit(bytes[offset]) {
                exponent = min(exponent &* 10 &+ Int(bytes[offset] &- 0x30), 100_000)
                offset += 1
            }
            isComplete = isComplete && offset > first
            power += isMinus ? -exponent : exponent
        }
        (end, isExact, self.isWhole, self.digits, self.power) = (offset, isComplete, isWhole, digits, power)
    }

    /// The value as a signed integer; nil if it does not fit.
    @inline(__always)
    var integer: Point.Value? {
        guard digits <= UInt64(Int64.max) + (isNegative ? 1 : 0) else { return nil }
        return .integer(Int64(truncatingIfNeeded: isNegative ? 0 &- digits : digits))
    }

    /// The value as an unsigned integer; nil if it has a sign.
    @inline(__always)
    var unsigned: Point.Value? { isNegative ? nil : .unsigned(digits) }

    /// The nearest double; nil if the power of ten is outside the range in which this arithmetic is exact.
    @inline(__always)
    var double: Double? {
        guard let magnitude else { return nil }
        return isNegative ? -magnitude : magnitude
    }

    @inline(__always)
    private var magnitude: Double? {
        if digits < 1 << 53 {
            // Both operands are exact doubles, so the single operation rounds once.
            if power == 0 { return Double(digits) }
            if power < 0, power >= -22 { return Double(digits) / Self.tens[-power] }
            if power > 0, power <= 22 { return Double(digits) * Self.tens[power] }
        }
        if digits == 0 { return 0 }
        guard power >= -27, power <= 27 else { return nil }
        return power < 0 ? quotient(by: Self.fives[-power]) : product(with: Self.fives[power])
    }

    private func quotient(by five: UInt64) -> Double {
        let (dividendShift, divisorShift) = (digits.leadingZeroBitCount, five.leadingZeroBitCount)
        let (dividend, divisor) = (digits << dividendShift, five << divisorShift)
        let (quotient, remainder) = divisor.dividingFullWidth((dividend >> 1, dividend << 63))
        // The quotient has at least 63 bits, so its lowest bit can serve as the sticky bit.
        return Self.scaled(quotient | (remainder == 0 ? 0 : 1), by: divisorShift - dividendShift - 63 + power)
    }

    private func product(with five: UInt64) -> Double {
        let (high, low) = digits.multipliedFullWidth(by: five)
        guard high != 0 else { return Self.scaled(low, by: power) }
        let shift = high.leadingZeroBitCount
        let top = shift == 0 ? high : high << shift | low >> (64 - shift)
        return Self.scaled(top | (low << shift == 0 ? 0 : 1), by: 64 - shift + power)
    }

    private static func scaled(_ significand: UInt64, by exponent: Int) -> Double {
        Double(significand) * Double(sign: .plus, exponent: exponent, significand: 1)
    }

    private static let tens: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20,
        1e21, 1e22,
    ]
    private static let fives: [UInt64] = [
        1, 5, 25, 125, 625, 3_125, 15_625, 78_125, 390_625, 1_953_125, 9_765_625, 48_828_125, 244_140_625,
        1_220_703_125, 6_103_515_625, 30_517_578_125, 152_587_890_625, 762_939_453_125, 3_814_697_265_625,
        19_073_486_328_125, 95_367_431_640_625, 476_837_158_203_125, 2_384_185_791_015_625, 11_920_928_955_078_125,
        59_604_644_775_390_625, 298_023_223_876_953_125, 1_490_116_119_384_765_625, 7_450_580_596_923_828_125,
    ]
}
