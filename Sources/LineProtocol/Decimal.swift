/// A decimal number at the beginning of some bytes: `[-]digits[.digits][e[±]digits]`.
///
/// Its double is the nearest one, ties to even, computed in integers: `w` has at most 19 digits and the power of ten is
/// between -27 and 27, so that `w · 5^q` or `w / 5^-q` fits 128 bits and the power of two is exact. (Clinger, "How to read
/// floating point numbers accurately", 1990, has the case in which both fit a double.)
struct Decimal {
    /// Behind the number.
    let end: Int
    /// Whether the digits fit and the syntax is complete; else the number has to be read in another way.
    let isExact: Bool
    /// Whether there is neither a dot nor an exponent.
    let isWhole: Bool
    private let isNegative: Bool
    private let digits: UInt64
    private let power: Int

    @inline(__always)
    init(_ bytes: Bytes, at start: Int) {
        isNegative = bytes[start] == Byte.minus
        var place = isNegative ? start + 1 : start
        let first = place
        var digits: UInt64 = 0
        while Byte.isDigit(bytes[place]) {
            digits = digits &* 10 &+ UInt64(bytes[place] &- 0x30)
            place += 1
        }
        var count = place - first
        var power = 0
        var isWhole = true
        if bytes[place] == Byte.dot {
            isWhole = false
            place += 1
            let fraction = place
            while Byte.isDigit(bytes[place]) {
                digits = digits &* 10 &+ UInt64(bytes[place] &- 0x30)
                place += 1
            }
            power = fraction - place
            count -= power
        }
        var isComplete = count > 0 && count <= 19
        if bytes[place] | 0x20 == UInt8(ascii: "e") {
            isWhole = false
            place += 1
            let isMinus = bytes[place] == Byte.minus
            if isMinus || bytes[place] == Byte.plus { place += 1 }
            let first = place
            var exponent = 0
            while Byte.isDigit(bytes[place]) {
                exponent = min(exponent &* 10 &+ Int(bytes[place] &- 0x30), 100_000)
                place += 1
            }
            isComplete = isComplete && place > first
            power += isMinus ? -exponent : exponent
        }
        (end, isExact, self.isWhole, self.digits, self.power) = (place, isComplete, isWhole, digits, power)
    }

    /// nil: it does not fit.
    @inline(__always)
    var integer: Point.Value? {
        guard digits <= UInt64(Int64.max) + (isNegative ? 1 : 0) else { return nil }
        return .integer(Int64(truncatingIfNeeded: isNegative ? 0 &- digits : digits))
    }

    /// nil: it has a sign.
    @inline(__always)
    var unsigned: Point.Value? { isNegative ? nil : .unsigned(digits) }

    /// nil: the power of ten is out of the range in which this arithmetic is exact.
    @inline(__always)
    var double: Double? {
        guard let magnitude else { return nil }
        return isNegative ? -magnitude : magnitude
    }

    @inline(__always)
    private var magnitude: Double? {
        if digits < 1 << 53 {
            // Both operands are exact doubles, so the one operation rounds once.
            if power == 0 { return Double(digits) }
            if power < 0, power >= -22 { return Double(digits) / Self.tens[-power] }
            if power > 0, power <= 22 { return Double(digits) * Self.tens[power] }
        }
        if digits == 0 { return 0 }
        guard power >= -27, power <= 27 else { return nil }
        return power < 0 ? quotient(by: Self.fives[-power]) : product(with: Self.fives[power])
    }

    private func quotient(by five: UInt64) -> Double {
        let (wide, narrow) = (digits.leadingZeroBitCount, five.leadingZeroBitCount)
        let (dividend, divisor) = (digits << wide, five << narrow)
        let (quotient, rest) = divisor.dividingFullWidth((dividend >> 1, dividend << 63))
        // The quotient has at least 63 bits: its lowest one is free to say that there is more below.
        return Self.scaled(quotient | (rest == 0 ? 0 : 1), by: narrow - wide - 63 + power)
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
