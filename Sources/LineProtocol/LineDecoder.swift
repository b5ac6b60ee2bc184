public import TimeSeries

/// Decodes line protocol, line by line; a malformed line is a problem, and the next one goes on.
///
///     measurement[,tag=value…] field=value[,field=value…] [timestamp]
public struct LineDecoder {
    private var cursor: Cursor
    private let precision: Precision
    /// The line that the newest point began on.
    private(set) var lineOfLast: Int

    /// - Parameter firstLine: the number of the first line, for problems.
    public init(_ bytes: [UInt8], precision: Precision = .nanoseconds, firstLine: Int = 1) {
        cursor = Cursor(bytes, firstLine: firstLine)
        self.precision = precision
        lineOfLast = firstLine
    }

    /// The next point or problem; nil at the end.
    public mutating func next() -> Result<Point, LineProblem>? {
        skipEmptyLines()
        guard !cursor.isAtEnd else { return nil }
        lineOfLast = cursor.line
        do {
            return .success(try point())
        } catch {
            cursor.skipLine()
            return .failure(error)
        }
    }

    private mutating func skipEmptyLines() {
        while let byte = cursor.current {
            switch byte {
            case Byte.newline, Byte.carriageReturn, Byte.space: cursor.advance()
            case Byte.hash: cursor.skipLine()
            default: return
            }
        }
    }

    private mutating func point() throws(LineProblem) -> Point {
        var point = Point(measurement: try name("a measurement", until: [Byte.comma, Byte.space]))
        while cursor.current == Byte.comma {
            cursor.advance()
            let key = try name("a tag key", until: [Byte.equals])
            cursor.advance()
            point.tags.append(.init(key: key, value: try name("a tag value", until: [Byte.comma, Byte.space])))
        }
        try space("a space and the fields")
        repeat {
            if !point.fields.isEmpty { cursor.advance() }
            let key = try name("a field key", until: [Byte.equals])
            cursor.advance()
            point.fields.append(.init(key: key, value: try value()))
        } while cursor.current == Byte.comma
        if cursor.current == Byte.space {
            cursor.skip { $0 == Byte.space }
            point.timestamp = try timestamp()
            cursor.skip { $0 == Byte.space }
        }
        try endOfLine()
        return point
    }

    private mutating func space(_ what: String) throws(LineProblem) {
        guard cursor.current == Byte.space else { throw cursor.problem("expected \(what)") }
        cursor.skip { $0 == Byte.space }
    }

    private mutating func endOfLine() throws(LineProblem) {
        if cursor.current == Byte.carriageReturn { cursor.advance() }
        guard cursor.isAtEnd || cursor.current == Byte.newline else {
            throw cursor.problem("expected the end of the line")
        }
        cursor.advance()
    }

    /// A name up to one of `ends`; a backslash keeps a comma, an equals sign or a space in it.
    private mutating func name(_ what: String, until ends: Set<UInt8>) throws(LineProblem) -> String {
        var bytes: [UInt8] = []
        while let byte = cursor.current, !ends.contains(byte) {
            let isSpecial = byte == Byte.equals || byte == Byte.comma || byte == Byte.space
            let isMeasurement = !ends.contains(Byte.equals) && what == "a measurement"
            if byte == Byte.newline || byte == Byte.carriageReturn
                || isSpecial && !(isMeasurement && byte == Byte.equals)
            {
                throw cursor.problem("expected \(what) before this \(Self.describe(byte))")
            }
            if byte == Byte.backslash, let next = cursor.next, Self.isEscapable(next) { cursor.advance() }
            if let kept = cursor.current { bytes.append(kept) }
            cursor.advance()
        }
        guard !cursor.isAtEnd || ends.contains(Byte.space) else { throw cursor.problem("expected \(what) and then =") }
        guard !bytes.isEmpty else { throw cursor.problem("expected \(what)") }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw cursor.problem("expected \(what) in UTF-8")
        }
        return text
    }

    private static func isEscapable(_ byte: UInt8) -> Bool {
        byte == Byte.comma || byte == Byte.equals || byte == Byte.space || byte == Byte.backslash
    }

    private static func describe(_ byte: UInt8) -> String {
        switch byte {
        case Byte.newline, Byte.carriageReturn: "end of the line"
        case Byte.space: "space"
        default: "\"\(Character(UnicodeScalar(byte)))\""
        }
    }

    private mutating func value() throws(LineProblem) -> Point.Value {
        if cursor.current == Byte.quote { return .string(try quoted()) }
        let start = cursor
        let from = cursor.place
        cursor.skip { $0 != Byte.comma && $0 != Byte.space && $0 != Byte.newline && $0 != Byte.carriageReturn }
        let text = String(decoding: cursor.text(from: from), as: UTF8.self)
        guard let value = Self.value(text) else {
            throw start.problem("expected a field value (1.5, 3i, 3u, true or \"text\"), not \"\(text.prefix(40))\"")
        }
        return value
    }

    private static func value(_ text: String) -> Point.Value? {
        switch text {
        case "t", "T", "true", "True", "TRUE": return .boolean(true)
        case "f", "F", "false", "False", "FALSE": return .boolean(false)
        default: break
        }
        guard let first = text.utf8.first, let last = text.utf8.last else { return nil }
        if last == UInt8(ascii: "i") { return Int64(text.dropLast()).map { .integer($0) } }
        if last == UInt8(ascii: "u") {
            return first == UInt8(ascii: "+") ? nil : UInt64(text.dropLast()).map { .unsigned($0) }
        }
        // Double() also reads words ("nan", "inf") and hexadecimal, which line protocol does not have.
        let isNumber = text.utf8.allSatisfy { Byte.isDigit($0) || "+-.eE".utf8.contains($0) }
        guard isNumber, text.utf8.contains(where: Byte.isDigit), let number = Double(text), number.isFinite else {
            return nil
        }
        return .float(number)
    }

    private mutating func quoted() throws(LineProblem) -> String {
        let start = cursor
        cursor.advance()
        var bytes: [UInt8] = []
        while let byte = cursor.current, byte != Byte.quote {
            if byte == Byte.backslash, let next = cursor.next, next == Byte.quote || next == Byte.backslash {
                cursor.advance()
            }
            if let kept = cursor.current { bytes.append(kept) }
            cursor.advance()
        }
        guard !cursor.isAtEnd else { throw start.problem("expected a closing quote") }
        cursor.advance()
        guard let text = String(validating: bytes, as: UTF8.self) else { throw start.problem("expected text in UTF-8") }
        return text
    }

    private mutating func timestamp() throws(LineProblem) -> Timestamp? {
        let start = cursor
        let from = cursor.place
        cursor.skip { Byte.isDigit($0) || $0 == UInt8(ascii: "-") }
        let text = String(decoding: cursor.text(from: from), as: UTF8.self)
        if text.isEmpty, cursor.isAtEnd || cursor.current == Byte.newline || cursor.current == Byte.carriageReturn {
            return nil
        }
        guard let count = Int64(text) else { throw start.problem("expected a whole number as timestamp") }
        let (nanoseconds, overflow) = count.multipliedReportingOverflow(by: precision.factor)
        guard !overflow else {
            throw start.problem("expected a timestamp in \(precision.rawValue) before the year 2262")
        }
        return Timestamp(nanoseconds: nanoseconds)
    }
}
