/// What is wrong with a text that should be JSON (RFC 8259).
struct JSONSyntaxError: Error, Hashable, CustomStringConvertible {
    /// In bytes from the start of the message.
    var offset: Int
    var expected: String

    var description: String { "byte \(offset): expected \(expected)" }
}

/// Walks over JSON without building anything: a message is checked, and read, where it lies.
struct JSONScanner {
    let bytes: [UInt8]
    var position: Int

    /// Deeper nesting is refused: the walk is recursive, and the message comes from outside.
    static let deepest = 128

    init(_ bytes: [UInt8], at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    func failure(_ expected: String) -> JSONSyntaxError { JSONSyntaxError(offset: position, expected: expected) }

    /// The next byte that is no white space; nil at the end.
    mutating func peek() -> UInt8? {
        while position < bytes.count {
            let byte = bytes[position]
            guard byte == UInt8(ascii: " ") || byte == 9 || byte == 10 || byte == 13 else { return byte }
            position += 1
        }
        return nil
    }

    /// Steps over `byte` if it comes next.
    mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        position += 1
        return true
    }

    /// Steps over one value of any type.
    mutating func skipValue(depth: Int = 0) throws {
        guard depth < Self.deepest else { throw failure("at most \(Self.deepest) levels") }
        switch peek() {
        case UInt8(ascii: "{"): try members(depth: depth) { scanner, _ in try scanner.skipValue(depth: depth + 1) }
        case UInt8(ascii: "["): try elements { try $0.skipValue(depth: depth + 1) }
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        case UInt8(ascii: "n"): try literal("null")
        default: _ = try number()
        }
    }

    /// Steps over an object; `body` has to step over each value.
    mutating func members(
        depth: Int = 0, _ body: (inout JSONScanner, JSONText) throws -> Void
    ) throws {
        guard take(UInt8(ascii: "{")) else { throw failure("an object") }
        if take(UInt8(ascii: "}")) { return }
        repeat {
            guard peek() == UInt8(ascii: "\"") else { throw failure("a name in quotes") }
            let name = try string()
            guard take(UInt8(ascii: ":")) else { throw failure("a colon") }
            try body(&self, name)
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw failure("a comma or a closing brace") }
    }

    /// Steps over an array; `body` has to step over each element.
    mutating func elements(_ body: (inout JSONScanner) throws -> Void) throws {
        guard take(UInt8(ascii: "[")) else { throw failure("an array") }
        if take(UInt8(ascii: "]")) { return }
        repeat { try body(&self) } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw failure("a comma or a closing bracket") }
    }

    mutating func literal(_ text: StaticString) throws {
        for place in 0..<text.utf8CodeUnitCount {
            guard position < bytes.count, bytes[position] == text.utf8Start[place] else { throw failure("\(text)") }
            position += 1
        }
    }

    /// Steps over a number: `-? (0|[1-9][0-9]*) (\.[0-9]+)? ([eE][+-]?[0-9]+)?`.
    mutating func number() throws -> Range<Int> {
        let start = position
        stepOver(UInt8(ascii: "-"))
        if !stepOver(UInt8(ascii: "0")) { try digits() }
        if stepOver(UInt8(ascii: ".")) { try digits() }
        if stepOver(UInt8(ascii: "e")) || stepOver(UInt8(ascii: "E")) {
            if !stepOver(UInt8(ascii: "+")) { stepOver(UInt8(ascii: "-")) }
            try digits()
        }
        return start..<position
    }

    @discardableResult
    private mutating func stepOver(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func digits() throws {
        let start = position
        while position < bytes.count, bytes[position] &- UInt8(ascii: "0") < 10 { position += 1 }
        guard position > start else { throw failure("a JSON value") }
    }
}
