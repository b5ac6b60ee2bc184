/// Reads the words and punctuation of an interface file.
struct InterfaceCursor {
    private let text: [UInt8]
    private var position = 0

    init(_ text: String) { self.text = Array(text.utf8) }

    /// The next byte that is neither white space nor comment; nil at the end.
    mutating func peek() -> UInt8? {
        while position < text.count {
            let byte = text[position]
            if byte == UInt8(ascii: "#") {
                while position < text.count, text[position] != UInt8(ascii: "\n") { position += 1 }
            } else if byte == UInt8(ascii: " ") || (9...13).contains(byte) {
                position += 1
            } else {
                return byte
            }
        }
        return nil
    }

    /// Consumes `sign` if it comes next, and returns whether it did.
    mutating func accept(_ sign: StaticString) -> Bool {
        _ = peek()
        let count = sign.utf8CodeUnitCount
        guard position + count <= text.count else { return false }
        for offset in 0..<count where text[position + offset] != sign.utf8Start[offset] { return false }
        position += count
        return true
    }

    mutating func expect(_ sign: StaticString) throws {
        guard accept(sign) else { throw failure("\(sign)") }
    }

    /// The next word: letters, digits and `extra`; empty if something else comes.
    mutating func word(extra: String = "_") -> String {
        _ = peek()
        let start = position
        while position < text.count, Self.isAlphanumeric(text[position]) || extra.utf8.contains(text[position]) {
            position += 1
        }
        return String(decoding: text[start..<position], as: UTF8.self)
    }

    /// The next word if `isRight` accepts it, else an error that points at its start.
    mutating func word(_ expected: String, extra: String = "_", _ isRight: (String) -> Bool) throws -> String {
        _ = peek()
        let start = position
        let found = word(extra: extra)
        guard isRight(found) else {
            position = start
            throw failure(expected)
        }
        return found
    }

    /// An error at the next word or punctuation mark.
    mutating func failure(_ expected: String) -> InterfaceError {
        _ = peek()
        let before = text[..<position]
        let line = 1 + before.count { $0 == UInt8(ascii: "\n") }
        let column = position - (before.lastIndex(of: UInt8(ascii: "\n")) ?? -1)
        let rest = text[position...].prefix { $0 > UInt8(ascii: " ") }.prefix(24)
        let found = rest.isEmpty ? "the end of the file" : String(decoding: rest, as: UTF8.self)
        return .syntax(line: line, column: column, expected: expected, found: found)
    }

    static func isAlphanumeric(_ byte: UInt8) -> Bool { isLetter(byte) || (byte &- UInt8(ascii: "0")) < 10 }
    static func isLetter(_ byte: UInt8) -> Bool { ((byte | 0x20) &- UInt8(ascii: "a")) < 26 }
}
