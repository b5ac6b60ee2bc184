/// A syntax error in JSON text (RFC 8259).
struct JSONSyntaxError: Error, Hashable, CustomStringConvertible {
    /// In bytes from the start of the message.
    var offset: Int
    var expected: String

    var description: String { "byte \(offset): expected \(expected)" }
}

/// Scans JSON without building anything: a message is checked and read in place.
struct JSONScanner {
    let bytes: [UInt8]
    var position: Int

    /// The maximum nesting depth: the scan is recursive, and messages are untrusted.
    static let maximumDepth = 128

    init(_ bytes: [UInt8], at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    func failure(_ expected: String) -> JSONSyntaxError { JSONSyntaxError(offset: position, expected: expected) }

    /// The next byte that is not white space; nil at the end.
    mutating func peek() -> UInt8? {
        while position < bytes.count {
            let byte = bytes[position]
            guard byte == UInt8(ascii: " ") || byte == 9 || byte == 10 || byte == 13 else { return byte }
            position += 1
        }
        return nil
    }

    /// Consumes `byte` if it comes next after white space, and returns whether it did.
    mutating func accept(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        position += 1
        return true
    }

    /// Skips one value of any type.
    mutating func skipValue(depth: Int = 0) throws {
        guard depth < Self.maximumDepth else { throw failure("at most \(Self.maximumDepth) levels") }
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

    /// Scans an object; `body` must consume each value.
    mutating func members(
        depth: Int = 0, _ body: (inout JSONScanner, JSONText) throws -> Void
    ) throws {
        guard accept(UInt8(ascii: "{")) else { throw failure("an object") }
        if accept(UInt8(ascii: "}")) { return }
        repeat {
            guard peek() == UInt8(ascii: "\"") else { throw failure("a name in quotes") }
            let name = try string()
            guard accept(UInt8(ascii: ":")) else { throw failure("a colon") }
            try body(&self, name)
        } while accept(UInt8(ascii: ","))
        guard accept(UInt8(ascii: "}")) else { throw failure("a comma or a closing brace") }
    }

    /// Scans an array; `body` must consume each element.
    mutating func elements(_ body: (inout JSONScanner) throws -> Void) throws {
        guard accept(UInt8(ascii: "[")) else { throw failure("an array") }
        if accept(UInt8(ascii: "]")) { return }
        repeat { try body(&self) } while accept(UInt8(ascii: ","))
        guard accept(UInt8(ascii: "]")) else { throw failure("a comma or a closing bracket") }
    }

    mutating func literal(_ text: StaticString) throws {
        for index in 0..<text.utf8CodeUnitCount {
            guard position < bytes.count, bytes[position] == text.utf8Start[index] else { throw failure("\(text)") }
            position += 1
        }
    }

    /// Scans a number: `-? (0|[1-9][0-9]*) (\.[0-9]+)? ([eE][+-]?[0-9]+)?`.
    mutating func number() throws -> Range<Int> {
        let start = position
        acceptByte(UInt8(ascii: "-"))
        if !acceptByte(UInt8(ascii: "0")) { try digits() }
        if acceptByte(UInt8(ascii: ".")) { try digits() }
        if acceptByte(UInt8(ascii: "e")) || acceptByte(UInt8(ascii: "E")) {
            if !acceptByte(UInt8(ascii: "+")) { acceptByte(UInt8(ascii: "-")) }
            try digits()
        }
        return start..<position
    }

    @discardableResult
    private mutating func acceptByte(_ byte: UInt8) -> Bool {
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
