/// A field's value before a string is copied out of the text.
enum ScannedValue {
    case number(Point.Value)
    case string(LineScanner.Token)
}

extension LineScanner {
    /// Reads a field's value, whose type its first character determines.
    @inline(__always)
    mutating func value() throws(LineProblem) -> ScannedValue {
        let first = current
        if Byte.isDigit(first) || first == Byte.minus || first == Byte.dot { return .number(try number()) }
        switch first {
        case Byte.quote: return .string(try quoted())
        case UInt8(ascii: "t"), UInt8(ascii: "T"), UInt8(ascii: "f"), UInt8(ascii: "F"):
            return .number(.boolean(try boolean()))
        default: throw problem("expected a field value: 1.5, 3i, 3u, true or \"text\", not \(found)")
        }
    }

    private mutating func boolean() throws(LineProblem) -> Bool {
        let range = valueRange()
        defer { advance(to: range.upperBound) }
        switch bytes.text(range) {
        case "t", "T", "true", "True", "TRUE": return true
        case "f", "F", "false", "False", "FALSE": return false
        default: throw problem("expected true or false, not \(quotedText(range))")
        }
    }

    /// Reads a number in its most common form in one pass; ``unusualNumber()`` rereads any other form.
    @inline(__always)
    private mutating func number() throws(LineProblem) -> Point.Value {
        let decimal = Decimal(bytes, at: offset)
        let after = bytes[decimal.end]
        if decimal.isExact {
            if decimal.end >= bytes.count || after == Byte.comma || Byte.isBlank(after) {
                if let value = decimal.double {
                    advance(to: decimal.end)
                    return .float(value)
                }
            } else if decimal.isWhole, after == UInt8(ascii: "i") || after == UInt8(ascii: "u") {
                let next = bytes[decimal.end + 1]
                let isOver = decimal.end + 1 >= bytes.count || next == Byte.comma || Byte.isBlank(next)
                if isOver, let value = after == UInt8(ascii: "i") ? decimal.integer : decimal.unsigned {
                    advance(to: decimal.end + 1)
                    return value
                }
            }
        }
        return try unusualNumber()
    }

    private mutating func unusualNumber() throws(LineProblem) -> Point.Value {
        let range = valueRange()
        defer { advance(to: range.upperBound) }
        let text = bytes.slice(range)
        let digits = text.dropLast()
        switch text.last {
        case UInt8(ascii: "i"):
            guard digits.dropFirst(digits.first == Byte.minus ? 1 : 0).allSatisfy(Byte.isDigit), digits.count > 0,
                let value = Int64(String(decoding: digits, as: UTF8.self))
            else { throw problem("expected a signed 64-bit integer such as 3i, not \(quotedText(range))") }
            return .integer(value)
        case UInt8(ascii: "u"):
            guard digits.allSatisfy(Byte.isDigit), let value = UInt64(String(decoding: digits, as: UTF8.self)) else {
                throw problem("expected an unsigned 64-bit integer such as 3u, not \(quotedText(range))")
            }
            return .unsigned(value)
        default:
            guard let value = FloatLiteral.value(of: text) else {
                throw problem("expected a finite number, not \(quotedText(range))")
            }
            return .float(value)
        }
    }

    private func valueRange() -> Range<Int> {
        var end = offset
        while end < bytes.count, bytes[end] != Byte.comma, !Byte.isBlank(bytes[end]) { end += 1 }
        return offset..<end
    }

    private func quotedText(_ range: Range<Int>) -> String {
        "\"\(String(decoding: bytes.slice(range).prefix(40), as: UTF8.self))\""
    }
}
