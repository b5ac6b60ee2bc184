import Glibc

/// The range of a string in a message, without its quotes.
struct JSONText {
    var range: Range<Int>
    var hasEscapes: Bool
}

extension JSONScanner {
    /// Scans a string.
    mutating func string() throws -> JSONText {
        guard accept(UInt8(ascii: "\"")) else { throw failure("a string") }
        let start = position
        var hasEscapes = false
        while position < bytes.count {
            while hasPlainWord { position += 8 }
            let end = min(position + 8, bytes.count)
            while position < end {
                let byte = bytes[position]
                position += 1
                if byte == UInt8(ascii: "\"") {
                    return JSONText(range: start..<(position - 1), hasEscapes: hasEscapes)
                }
                guard byte >= 0x20 else { throw failure("no control character in a string") }
                if byte == UInt8(ascii: "\\") {
                    hasEscapes = true
                    position += 1
                }
            }
        }
        position = bytes.count
        throw failure("the end of a string")
    }

    /// Whether the next eight bytes are all plain: no quote, no backslash, no control character.
    ///
    /// Works on eight bytes at a time, because the long texts of Ingest are scanned twice. The highest bit of a byte of
    /// `x - 0x01…` is set if the byte was zero, and sometimes if it was not: then the bytes are checked one by one.
    private var hasPlainWord: Bool {
        guard position + 8 <= bytes.count else { return false }
        let word = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: UInt64.self) }
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
        let backslashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
        let found = (quotes &- ones) | (backslashes &- ones) | (word &- ones &* 0x20) | word
        return found & (ones &* 0x80) == 0
    }

    /// Whether `text` equals `name`.
    func equals(_ text: JSONText, _ name: String) -> Bool {
        if text.hasEscapes { return (try? decoded(text)) == name }
        guard name.utf8.count == text.range.count else { return false }
        var index = text.range.lowerBound
        for byte in name.utf8 {
            guard bytes[index] == byte else { return false }
            index += 1
        }
        return true
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
        var index = range.lowerBound
        while true {
            let backslash = nextBackslash(in: index..<range.upperBound)
            result.append(contentsOf: bytes[index..<backslash])
            guard backslash < range.upperBound else { return result }
            index = backslash + 1
            guard index < range.upperBound else { throw JSONSyntaxError(offset: index, expected: "an escape") }
            let escape = bytes[index]
            index += 1
            if escape == UInt8(ascii: "u") {
                result += Array(String(try scalar(&index, range.upperBound)).utf8)
            } else {
                result.append(try Self.plain(escape, index))
            }
        }
    }

    /// The end of the range if there is none.
    private func nextBackslash(in range: Range<Int>) -> Int {
        bytes.withUnsafeBytes { bytes in
            guard !range.isEmpty, let start = bytes.baseAddress?.advanced(by: range.lowerBound),
                let match = memchr(start, Int32(UInt8(ascii: "\\")), range.count)
            else { return range.upperBound }
            return range.lowerBound + start.distance(to: UnsafeRawPointer(match))
        }
    }

    private static func plain(_ escape: UInt8, _ index: Int) throws -> UInt8 {
        switch escape {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): escape
        case UInt8(ascii: "b"): 8
        case UInt8(ascii: "f"): 12
        case UInt8(ascii: "n"): 10
        case UInt8(ascii: "r"): 13
        case UInt8(ascii: "t"): 9
        default: throw JSONSyntaxError(offset: index, expected: "an escape that JSON knows")
        }
    }

    /// The character of a `\u` escape: four digits, or two escapes of four for a character beyond U+FFFF.
    private func scalar(_ index: inout Int, _ end: Int) throws -> Character {
        let high = try codeUnit(&index, end)
        var value = UInt32(high)
        if UTF16.isLeadSurrogate(high) {
            guard index + 2 <= end, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u") else {
                throw JSONSyntaxError(offset: index, expected: "the second half of a surrogate pair")
            }
            index += 2
            let low = try codeUnit(&index, end)
            guard UTF16.isTrailSurrogate(low) else {
                throw JSONSyntaxError(offset: index, expected: "the second half of a surrogate pair")
            }
            value = 0x10000 + (UInt32(high) - 0xD800) << 10 + (UInt32(low) - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(value) else {
            throw JSONSyntaxError(offset: index, expected: "a whole surrogate pair")
        }
        return Character(scalar)
    }

    private func codeUnit(_ index: inout Int, _ end: Int) throws -> UInt16 {
        guard index + 4 <= end else { throw JSONSyntaxError(offset: index, expected: "four hexadecimal digits") }
        var value: UInt16 = 0
        for byte in bytes[index..<(index + 4)] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw JSONSyntaxError(offset: index, expected: "four hexadecimal digits")
            }
            value = value << 4 | UInt16(digit)
        }
        index += 4
        return value
    }
}
