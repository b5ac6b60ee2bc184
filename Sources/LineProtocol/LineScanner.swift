/// Scans the tokens of line protocol in order, each with its position.
///
/// The grammar is that of InfluxDB's decoder (github.com/influxdata/line-protocol, `lineprotocol`): a backslash is an
/// escape only before a character that may be escaped there, and literal otherwise; control characters may appear only
/// in quoted strings; a line ends with LF, CR LF or the end of the text.
struct LineScanner {
    let bytes: Bytes
    private(set) var offset = 0
    private(set) var line: Int
    private var lineStart = 0
    /// The range and the nanoseconds of the most recent timestamp: the next line often has the same one.
    var newestTimestamp: (range: Range<Int>, nanoseconds: Int64)?

    init(_ bytes: Bytes, firstLine: Int) {
        self.bytes = bytes
        line = firstLine
        // Some programs begin a file with a byte order mark, which is part of no name.
        if firstLine == 1, Byte.byteOrderMark.indices.allSatisfy({ bytes[$0] == Byte.byteOrderMark[$0] }) {
            offset = Byte.byteOrderMark.count
        }
    }

    /// A name or a string as it is written in the text.
    struct Token {
        var range: Range<Int>
        var isEscaped: Bool
    }

    @inline(__always) var current: UInt8 { bytes[offset] }
    @inline(__always) var isAtEnd: Bool { offset >= bytes.count }
    @inline(__always)
    mutating func advance(to offset: Int) { self.offset = offset }

    // MARK: Lines

    /// Skips empty lines and comments.
    ///
    /// - Throws: ``LineProblem`` for a comment with control characters.
    mutating func skipEmptyLines() throws(LineProblem) {
        while !isAtEnd {
            skipSpaces()
            if current == Byte.hash {
                while !isAtEnd, !Byte.isControl(current) { offset += 1 }
                guard endLine() else { throw problem("expected no control characters in a comment") }
            } else if Byte.isBlank(current) {
                guard endLine() else { throw problem("expected LF after CR") }
            } else {
                return
            }
        }
    }

    @inline(__always)
    mutating func skipSpaces() {
        while current == Byte.space { offset += 1 }
    }

    /// Skips an end of line; false if there is none here.
    @inline(__always)
    mutating func endLine() -> Bool {
        if isAtEnd { return true }
        if current == Byte.carriageReturn, offset + 1 == bytes.count || bytes[offset + 1] == Byte.newline {
            offset += 1
        }
        if isAtEnd { return true }
        guard current == Byte.newline else { return false }
        offset += 1
        startLine()
        return true
    }

    /// Skips the rest of a refused line.
    mutating func skipLine() {
        guard let end = bytes.first(Byte.newline, in: offset..<bytes.count) else { return offset = bytes.count }
        offset = end + 1
        startLine()
    }

    @inline(__always)
    private mutating func startLine() {
        line += 1
        lineStart = offset
    }

    // MARK: Names

    /// Reads a name, which ends before the first character that cannot be part of it and may be empty.
    ///
    /// - Throws: ``LineProblem`` if the name is not UTF-8.
    mutating func name(_ part: NamePart) throws(LineProblem) -> Token {
        let start = offset
        var (isEscaped, bits) = (false, UInt8(0))
        while !isAtEnd {
            let byte = current
            if byte == Byte.backslash {
                let escapes = part.isEscapable(bytes[offset + 1])
                isEscaped = isEscaped || escapes
                offset += escapes ? 2 : 1
            } else if part.isEnd(byte) {
                break
            } else {
                bits |= byte
                offset += 1
            }
        }
        let token = Token(range: start..<offset, isEscaped: isEscaped)
        if bits & 0x80 != 0, bytes.text(token.range) == nil { throw problem("expected \(part) in UTF-8", at: start) }
        return token
    }

    /// The text of a token, with its escapes resolved.
    func text(_ token: Token, of part: NamePart) -> String {
        guard token.isEscaped else { return String(decoding: bytes.slice(token.range), as: UTF8.self) }
        var out: [UInt8] = []
        var offset = token.range.lowerBound
        while offset < token.range.upperBound {
            let next = bytes[offset + 1]
            if bytes[offset] == Byte.backslash, offset + 1 < token.range.upperBound, part.isEscapable(next) {
                out.append(part.unescaped(next))
                offset += 2
            } else {
                out.append(bytes[offset])
                offset += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    // MARK: Strings

    /// Reads the contents of a quoted string, which may contain anything, including newlines.
    ///
    /// - Throws: ``LineProblem`` if the text is not UTF-8, or if there is no closing quote; in the latter case the
    ///   scanner stays before the string, so that the lines after this one are not lost with it.
    mutating func quoted() throws(LineProblem) -> Token {
        let opening = offset
        var (isEscaped, bits) = (false, UInt8(0))
        var (offset, line, lineStart) = (offset + 1, line, lineStart)
        while offset < bytes.count, bytes[offset] != Byte.quote {
            let byte = bytes[offset]
            bits |= byte
            if byte == Byte.newline { (line, lineStart) = (line + 1, offset + 1) }
            let escapes = byte == Byte.backslash && NamePart.string.isEscapable(bytes[offset + 1])
            isEscaped = isEscaped || escapes
            offset += escapes ? 2 : 1
        }
        guard offset < bytes.count else {
            isOpenAtEnd = true
            throw problem("expected a closing quote to this one, before the end of the text", at: opening)
        }
        let token = Token(range: opening + 1..<offset, isEscaped: isEscaped)
        let bad = bits & 0x80 != 0 && bytes.text(token.range) == nil ? problem("expected UTF-8", at: opening) : nil
        (self.offset, self.line, self.lineStart) = (offset + 1, line, lineStart)
        if let bad { throw bad }
        return token
    }

    /// Whether a quoted string was still open at the end of the text.
    private(set) var isOpenAtEnd = false

    // MARK: Problems

    func problem(_ reason: String) -> LineProblem { problem(reason, at: offset) }

    /// - Parameter offset: a byte offset on the current line.
    func problem(_ reason: String, at offset: Int) -> LineProblem {
        LineProblem(line: line, column: offset - lineStart + 1, reason: reason)
    }

    /// A description of the current byte, for messages.
    var found: String { isAtEnd ? "the end of the text" : Self.describe(current) }

    private static func describe(_ byte: UInt8) -> String {
        switch byte {
        case Byte.newline, Byte.carriageReturn: "the end of the line"
        case Byte.space: "a space"
        case 0x21...0x7E: "\"\(Character(UnicodeScalar(byte)))\""
        default: "the byte 0x\(String(byte, radix: 16))"
        }
    }
}
