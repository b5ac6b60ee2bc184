/// A string where it lies in a message, without its quotes.
struct JSONText {
    var range: Range<Int>
    var hasEscapes: Bool
}

extension JSONScanner {
    /// Steps over a string.
    mutating func string() throws -> JSONText {
        guard take(UInt8(ascii: "\"")) else { throw failure("a string") }
        let start = position
        var hasEscapes = false
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                position += 1
                return JSONText(range: start..<(position - 1), hasEscapes: hasEscapes)
            }
            guard byte >= 0x20 else { throw failure("no control character in a string") }
            if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                position += 1
            }
            position += 1
        }
        position = bytes.count
        throw failure("the end of a string")
    }

    /// Whether `text` is `name`.
    func equals(_ text: JSONText, _ name: String) -> Bool {
        if text.hasEscapes { return (try? decoded(text)) == name }
        var name = name
        return name.withUTF8 { name in
            name.count == text.range.count && bytes[text.range].elementsEqual(name)
        }
    }

    /// The characters of `text`.
    func decoded(_ text: JSONText) throws -> String {
        let unescaped = text.hasEscapes ? try unescape(text.range) : nil
        let found =
            unescaped.map { String(validating: $0, as: UTF8.self) }
            ?? String(validating: bytes[text.range], as: UTF8.self)
        guard let found else { throw JSONSyntaxError(offset: text.range.lowerBound, expected: "UTF-8") }
        return found
    }

    private func unescape(_ range: Range<Int>) throws -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(range.count)
        var place = range.lowerBound
        while place < range.upperBound {
            let byte = bytes[place]
            place += 1
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                continue
            }
            guard place < range.upperBound else { throw JSONSyntaxError(offset: place, expected: "an escape") }
            let escape = bytes[place]
            place += 1
            if escape == UInt8(ascii: "u") {
                result += Array(String(try scalar(&place, range.upperBound)).utf8)
            } else {
                result.append(try Self.plain(escape, place))
            }
        }
        return result
    }

    private static func plain(_ escape: UInt8, _ place: Int) throws -> UInt8 {
        switch escape {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): escape
        case UInt8(ascii: "b"): 8
        case UInt8(ascii: "f"): 12
        case UInt8(ascii: "n"): 10
        case UInt8(ascii: "r"): 13
        case UInt8(ascii: "t"): 9
        default: throw JSONSyntaxError(offset: place, expected: "an escape that JSON knows")
        }
    }

    /// What follows `\u`: four digits, or twice four for a character beyond the first 65,536.
    private func scalar(_ place: inout Int, _ end: Int) throws -> Character {
        let high = try codeUnit(&place, end)
        var value = UInt32(high)
        if UTF16.isLeadSurrogate(high) {
            guard place + 2 <= end, bytes[place] == UInt8(ascii: "\\"), bytes[place + 1] == UInt8(ascii: "u") else {
                throw JSONSyntaxError(offset: place, expected: "the second half of a surrogate pair")
            }
            place += 2
            let low = try codeUnit(&place, end)
            guard UTF16.isTrailSurrogate(low) else {
                throw JSONSyntaxError(offset: place, expected: "the second half of a surrogate pair")
            }
            value = 0x10000 + (UInt32(high) - 0xD800) << 10 + (UInt32(low) - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(value) else {
            throw JSONSyntaxError(offset: place, expected: "a whole surrogate pair")
        }
        return Character(scalar)
    }

    private func codeUnit(_ place: inout Int, _ end: Int) throws -> UInt16 {
        guard place + 4 <= end else { throw JSONSyntaxError(offset: place, expected: "four hexadecimal digits") }
        var value: UInt16 = 0
        for byte in bytes[place..<(place + 4)] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw JSONSyntaxError(offset: place, expected: "four hexadecimal digits")
            }
            value = value << 4 | UInt16(digit)
        }
        place += 4
        return value
    }
}
