/// Floating-point numbers in every form that InfluxDB's decoder takes, which are those of Go's `strconv.ParseFloat`:
/// decimal, hexadecimal with a binary exponent (`0x1.8p3`), and with underscores between digits.
struct FloatLiteral {
    private let text: UnsafeBufferPointer<UInt8>.SubSequence
    private var place: Int
    private var isHexadecimal = false

    /// The nearest double; nil when the text is no such number or the number is too large for one.
    static func value(of text: UnsafeBufferPointer<UInt8>) -> Double? {
        var literal = FloatLiteral(text[...])
        guard literal.isWellFormed(), literal.underscoresSeparateDigits else { return nil }
        let digits = text.filter { $0 != Self.underscore }
        guard let value = Double(String(decoding: digits, as: UTF8.self)), value.isFinite else { return nil }
        return value
    }

    private init(_ text: UnsafeBufferPointer<UInt8>.SubSequence) {
        self.text = text
        place = text.first == Byte.minus ? text.startIndex + 1 : text.startIndex
    }

    private static let underscore = UInt8(ascii: "_")
    private func byte(_ place: Int) -> UInt8 { text.indices.contains(place) ? text[place] : 0 }
    /// In lower case, as far as it is a letter.
    private func lower(_ place: Int) -> UInt8 { byte(place) | 0x20 }

    private mutating func isWellFormed() -> Bool {
        isHexadecimal = byte(place) == UInt8(ascii: "0") && lower(place + 1) == UInt8(ascii: "x")
        if isHexadecimal { place += 2 }
        var hasDigits = skipDigits(isHexadecimal)
        if byte(place) == Byte.dot {
            place += 1
            hasDigits = skipDigits(isHexadecimal) || hasDigits
        }
        guard hasDigits else { return false }
        if lower(place) == (isHexadecimal ? UInt8(ascii: "p") : UInt8(ascii: "e")) {
            place += 1
            if byte(place) == Byte.plus || byte(place) == Byte.minus { place += 1 }
            guard Byte.isDigit(byte(place)), skipDigits(false) else { return false }
        } else if isHexadecimal {
            return false
        }
        return place == text.endIndex
    }

    /// Passes over digits and underscores; whether there was a digit.
    private mutating func skipDigits(_ hexadecimal: Bool) -> Bool {
        var found = false
        while true {
            let isDigit = Byte.isDigit(byte(place)) || hexadecimal && Self.isLetterDigit(lower(place))
            guard isDigit || byte(place) == Self.underscore else { return found }
            found = found || isDigit
            place += 1
        }
    }

    private static func isLetterDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "f") }

    /// The `0x` of a hexadecimal number counts as a digit.
    private var underscoresSeparateDigits: Bool {
        text.indices.allSatisfy { place in
            guard byte(place) == Self.underscore else { return true }
            return [place - 1, place + 1].allSatisfy { neighbour in
                Byte.isDigit(byte(neighbour)) || isHexadecimal && Self.isLetterDigit(lower(neighbour))
                    || isHexadecimal && lower(neighbour) == UInt8(ascii: "x")
            }
        }
    }
}
