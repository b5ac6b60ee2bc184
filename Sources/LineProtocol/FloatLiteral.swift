/// Floating-point numbers in every form that InfluxDB's decoder accepts, which are those of Go's `strconv.ParseFloat`:
/// decimal, hexadecimal with a binary exponent (`0x1.8p3`), and with underscores between digits.
struct FloatLiteral {
    private let text: UnsafeBufferPointer<UInt8>.SubSequence
    private var offset: Int
    private var isHexadecimal = false

    /// The nearest double; nil when the text is not a number or its magnitude is too large for a double.
    static func value(of text: UnsafeBufferPointer<UInt8>) -> Double? {
        var literal = FloatLiteral(text[...])
        guard literal.isWellFormed(), literal.underscoresSeparateDigits else { return nil }
        let digits = text.filter { $0 != Self.underscore }
        guard let value = Double(String(decoding: digits, as: UTF8.self)), value.isFinite else { return nil }
        return value
    }

    private init(_ text: UnsafeBufferPointer<UInt8>.SubSequence) {
        self.text = text
        offset = text.first == Byte.minus ? text.startIndex + 1 : text.startIndex
    }

    private static let underscore = UInt8(ascii: "_")
    private func byte(_ offset: Int) -> UInt8 { text.indices.contains(offset) ? text[offset] : 0 }
    /// The byte in lower case if it is a letter.
    private func lower(_ offset: Int) -> UInt8 { byte(offset) | 0x20 }

    private mutating func isWellFormed() -> Bool {
        isHexadecimal = byte(offset) == UInt8(ascii: "0") && lower(offset + 1) == UInt8(ascii: "x")
        if isHexadecimal { offset += 2 }
        var hasDigits = skipDigits(isHexadecimal)
        if byte(offset) == Byte.dot {
            offset += 1
            hasDigits = skipDigits(isHexadecimal) || hasDigits
        }
        guard hasDigits else { return false }
        if lower(offset) == (isHexadecimal ? UInt8(ascii: "p") : UInt8(ascii: "e")) {
            offset += 1
            if byte(offset) == Byte.plus || byte(offset) == Byte.minus { offset += 1 }
            guard Byte.isDigit(byte(offset)), skipDigits(false) else { return false }
        } else if isHexadecimal {
            return false
        }
        return offset == text.endIndex
    }

    /// Skips digits and underscores; returns whether there was a digit.
    private mutating func skipDigits(_ hexadecimal: Bool) -> Bool {
        var hasDigit = false
        while true {
            let isDigit = Byte.isDigit(byte(offset)) || hexadecimal && Self.isLetterDigit(lower(offset))
            guard isDigit || byte(offset) == Self.underscore else { return hasDigit }
            hasDigit = hasDigit || isDigit
            offset += 1
        }
    }

    private static func isLetterDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "f") }

    /// The `0x` of a hexadecimal number counts as a digit.
    private var underscoresSeparateDigits: Bool {
        text.indices.allSatisfy { offset in
            guard byte(offset) == Self.underscore else { return true }
            return [offset - 1, offset + 1].allSatisfy { neighbour in
                Byte.isDigit(byte(neighbour)) || isHexadecimal && Self.isLetterDigit(lower(neighbour))
                    || isHexadecimal && lower(neighbour) == UInt8(ascii: "x")
            }
        }
    }
}
