/// JSON text under construction.
final class JSONOutput {
    // Only one encoder writes at a time, and it never reads meanwhile. The run-time checks would take a third of the
    // encoding time.
    @exclusivity(unchecked) private(set) var bytes: [UInt8] = []
    /// The closing brackets of the open containers.
    @exclusivity(unchecked) private var open: [UInt8] = []

    init(capacity: Int = 512) { bytes.reserveCapacity(capacity) }

    /// How many objects and arrays are open.
    var depth: Int { open.count }

    /// Closes the containers that are open beyond `depth`: a `Codable` container does not say when it ends.
    func closeContainers(to depth: Int) {
        while open.count > depth, let closing = open.popLast() { bytes.append(closing) }
    }

    /// Writes the comma, if needed, before the next member or element of the container at `depth`.
    func beginItem(at depth: Int) {
        closeContainers(to: depth)
        guard let last = bytes.last, last != UInt8(ascii: "{"), last != UInt8(ascii: "[") else { return }
        bytes.append(UInt8(ascii: ","))
    }

    func beginObject() {
        bytes.append(UInt8(ascii: "{"))
        open.append(UInt8(ascii: "}"))
    }

    func beginArray() {
        bytes.append(UInt8(ascii: "["))
        open.append(UInt8(ascii: "]"))
    }

    /// `"name":` of the next member of the object at `depth`.
    func name(_ name: String, at depth: Int) {
        beginItem(at: depth)
        string(name)
        bytes.append(UInt8(ascii: ":"))
    }

    /// Text that needs no quotes: a number or a literal.
    func plain(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// A value that is already JSON.
    func encoded(_ value: [UInt8]) { bytes.append(contentsOf: value) }

    /// - Throws: `EncodingError` for infinities and NaN, which JSON does not have (RFC 8259, section 6).
    func number<Value: BinaryFloatingPoint & LosslessStringConvertible>(_ value: Value) throws {
        guard value.isFinite else {
            throw EncodingError.invalidValue(
                value, .init(codingPath: [], debugDescription: "expected a finite number, found \(value)"))
        }
        // Swift prints the shortest digits that read back as the same value.
        plain(value.description)
    }

    func string(_ text: String) {
        var text = text
        bytes.append(UInt8(ascii: "\""))
        text.withUTF8 { utf8 in
            var rest = utf8[...]
            while let index = rest.firstIndex(where: Self.mayNeedEscape) {
                bytes.append(contentsOf: rest[..<index])
                let (scalar, end) = Self.scalar(in: utf8, at: index)
                escaped(scalar)
                rest = utf8[end...]
            }
            bytes.append(contentsOf: rest)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// The scalar that begins with a byte that may need an escape, and the index after it.
    private static func scalar(in utf8: UnsafeBufferPointer<UInt8>, at index: Int) -> (Unicode.Scalar, end: Int) {
        let first = utf8[index]
        // Of two or three bytes: Swift's strings are valid UTF-8.
        let length = first < 0x80 ? 1 : first < 0xE0 ? 2 : 3
        let value = utf8[index + 1..<index + length].reduce(
            UInt32(first) & (length == 1 ? 0x7F : length == 2 ? 0x1F : 0x0F)
        ) {
            $0 << 6 | UInt32($1 & 0x3F)
        }
        return (Unicode.Scalar(value) ?? "\u{FFFD}", index + length)
    }

    /// Whether a character that must be escaped may begin with this byte.
    private static func mayNeedEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7F || byte == 0xC2
            || byte == 0xD8 || byte == 0xE2
    }

    private func escaped(_ scalar: Unicode.Scalar) {
        switch scalar.value {
        case 0x22, 0x5C: bytes += [UInt8(ascii: "\\"), UInt8(truncatingIfNeeded: scalar.value)]
        case 0x20..<0x7F: bytes.append(UInt8(truncatingIfNeeded: scalar.value))
        case 10: plain("\\n")
        case 13: plain("\\r")
        case 9: plain("\\t")
        // More than JSON requires: control characters, line separators and bidirectional controls must not reach the
        // terminal of whoever reads a message.
        case ..<0x20, 0x7F...0x9F, 0x61C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069:
            let digits = String(scalar.value, radix: 16)
            plain("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
        default: if let units = UTF8.encode(scalar) { bytes.append(contentsOf: units) }
        }
    }

    /// One value of any type.
    func value<T: Encodable>(_ value: T) throws {
        if T.self == String.self, let text = value as? String { return string(text) }
        if T.self == [Float].self, let numbers = value as? [Float] { return try array(numbers) }
        if T.self == [Double].self, let numbers = value as? [Double] { return try array(numbers) }
        let (depth, start) = (depth, bytes.count)
        try value.encode(to: JSONEncoderNode(self))
        closeContainers(to: depth)
        // A type without properties writes nothing at all.
        if bytes.count == start { plain("{}") }
    }

    private func array<Value: BinaryFloatingPoint & LosslessStringConvertible>(_ numbers: [Value]) throws {
        bytes.append(UInt8(ascii: "["))
        for (index, value) in numbers.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            try number(value)
        }
        bytes.append(UInt8(ascii: "]"))
    }
}
