/// The tokens of line protocol, one after the other, with the place of each.
///
/// The grammar is that of InfluxDB's decoder (github.com/influxdata/line-protocol, `lineprotocol`): a backslash is an
/// escape only before a character that may be escaped there and a plain backslash otherwise; control characters stand in
/// quoted strings alone; a line ends with LF, CR LF or the end of the text.
struct LineScanner {
    let bytes: Bytes
    private(set) var place = 0
    private(set) var line: Int
    private var lineStart = 0
    /// Where the newest timestamp stands, and its nanoseconds: the next line often has the same.
    var newestTimestamp: (range: Range<Int>, nanoseconds: Int64)?

    init(_ bytes: Bytes, firstLine: Int) {
        self.bytes = bytes
        line = firstLine
        // Some programs begin a file with one. It belongs to no name.
        if firstLine == 1, Byte.orderMark.indices.allSatisfy({ bytes[$0] == Byte.orderMark[$0] }) {
            place = Byte.orderMark.count
        }
    }

    /// A name or a string as it stands in the text.
    struct Token {
        var range: Range<Int>
        var isEscaped: Bool
    }

    @inline(__always) var current: UInt8 { bytes[place] }
    @inline(__always) var isAtEnd: Bool { place >= bytes.count }
    @inline(__always)
    mutating func advance(to place: Int) { self.place = place }

    // MARK: Lines

    /// Passes over empty lines and comments.
    ///
    /// - Throws: a comment with control characters.
    mutating func skipEmptyLines() throws(LineProblem) {
        while !isAtEnd {
            skipSpaces()
            if current == Byte.hash {
                while !isAtEnd, !Byte.isControl(current) { place += 1 }
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
        while current == Byte.space { place += 1 }
    }

    /// Passes over an end of line; false if there is none here.
    @inline(__always)
    mutating func endLine() -> Bool {
        if isAtEnd { return true }
        if current == Byte.carriageReturn, place + 1 == bytes.count || bytes[place + 1] == Byte.newline { place += 1 }
        if isAtEnd { return true }
        guard current == Byte.newline else { return false }
        place += 1
        startLine()
        return true
    }

    /// Passes over the rest of a line that was refused.
    mutating func skipLine() {
        guard let end = bytes.first(Byte.newline, in: place..<bytes.count) else { return place = bytes.count }
        place = end + 1
        startLine()
    }

    @inline(__always)
    private mutating func startLine() {
        line += 1
        lineStart = place
    }

    // MARK: Names

    /// A name, which ends before the first character that is not its own. It may be empty.
    ///
    /// - Throws: the name is not UTF-8.
    mutating func name(_ part: NamePart) throws(LineProblem) -> Token {
        let start = place
        var (isEscaped, bits) = (false, UInt8(0))
        while !isAtEnd {
            let byte = current
            if byte == Byte.backslash {
                let escapes = part.isEscapable(bytes[place + 1])
                isEscaped = isEscaped || escapes
                place += escapes ? 2 : 1
            } else if part.isEnd(byte) {
                break
            } else {
                bits |= byte
                place += 1
            }
        }
        let token = Token(range: start..<place, isEscaped: isEscaped)
        if bits & 0x80 != 0, bytes.text(token.range) == nil { throw problem("expected \(part) in UTF-8", at: start) }
        return token
    }

    /// A token's own text, without escapes.
    func text(_ token: Token, of part: NamePart) -> String {
        guard token.isEscaped else { return String(decoding: bytes.slice(token.range), as: UTF8.self) }
        var out: [UInt8] = []
        var place = token.range.lowerBound
        while place < token.range.upperBound {
            let next = bytes[place + 1]
            if bytes[place] == Byte.backslash, place + 1 < token.range.upperBound, part.isEscapable(next) {
                out.append(part.unescaped(next))
                place += 2
            } else {
                out.append(bytes[place])
                place += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    // MARK: Strings

    /// The inside of a quoted string, which may hold anything, ends of lines too.
    ///
    /// - Throws: the text is not UTF-8; or there is no closing quote, and the scanner stays before the string then, so
    ///   that the lines after this one are not lost with it.
    mutating func quoted() throws(LineProblem) -> Token {
        let opening = place
        var (isEscaped, bits) = (false, UInt8(0))
        var (place, line, lineStart) = (place + 1, line, lineStart)
        while place < bytes.count, bytes[place] != Byte.quote {
            let byte = bytes[place]
            bits |= byte
            if byte == Byte.newline { (line, lineStart) = (line + 1, place + 1) }
            let escapes = byte == Byte.backslash && NamePart.string.isEscapable(bytes[place + 1])
            isEscaped = isEscaped || escapes
            place += escapes ? 2 : 1
        }
        guard place < bytes.count else {
            isOpenAtEnd = true
            throw problem("expected a closing quote to this one, before the end of the text", at: opening)
        }
        let token = Token(range: opening + 1..<place, isEscaped: isEscaped)
        let bad = bits & 0x80 != 0 && bytes.text(token.range) == nil ? problem("expected UTF-8", at: opening) : nil
        (self.place, self.line, self.lineStart) = (place + 1, line, lineStart)
        if let bad { throw bad }
        return token
    }

    /// A quoted string ran into the end of the text.
    private(set) var isOpenAtEnd = false

    // MARK: Problems

    func problem(_ reason: String) -> LineProblem { problem(reason, at: place) }

    /// - Parameter place: on this line.
    func problem(_ reason: String, at place: Int) -> LineProblem {
        LineProblem(line: line, column: place - lineStart + 1, reason: reason)
    }

    /// The byte here for people.
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
