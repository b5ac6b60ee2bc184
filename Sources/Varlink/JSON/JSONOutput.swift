/// JSON as it is written, byte after byte.
final class JSONOutput {
    // One encoder writes at a time, and it never reads in between: the checks at run time cost a third of the writing.
    @exclusivity(unchecked) private(set) var bytes: [UInt8] = []
    /// The closing bytes of what is open.
    @exclusivity(unchecked) private var open: [UInt8] = []

    /// JSON has no infinities and no NaN (RFC 8259, section 6); as texts they at least cross the wire.
    static let notFinite: Set<String> = ["inf", "-inf", "nan"]

    init(capacity: Int = 512) { bytes.reserveCapacity(capacity) }

    /// How many objects and arrays are open.
    var depth: Int { open.count }

    /// Closes what is open beyond `depth`: a `Codable` container does not say when it ends.
    func settle(to depth: Int) {
        while open.count > depth, let closing = open.popLast() { bytes.append(closing) }
    }

    /// Makes room for the next member or element of the container at `depth`.
    func next(at depth: Int) {
        settle(to: depth)
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
        next(at: depth)
        string(name)
        bytes.append(UInt8(ascii: ":"))
    }

    /// Text that needs no quotes: a number or a literal.
    func plain(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// A value that is JSON already.
    func encoded(_ value: [UInt8]) { bytes.append(contentsOf: value) }

    func number<Value: BinaryFloatingPoint & LosslessStringConvertible>(_ value: Value) {
        // Swift prints the shortest digits that read back as the same value.
        if value.isFinite { plain(value.description) } else { string(value.description) }
    }

    func string(_ text: String) {
        var text = text
        bytes.append(UInt8(ascii: "\""))
        text.withUTF8 { utf8 in
            if utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }) {
                for byte in utf8 { escaped(byte) }
            } else {
                bytes.append(contentsOf: utf8)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private func escaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
        case 10: plain("\\n")
        case 13: plain("\\r")
        case 9: plain("\\t")
        case ..<0x20: plain("\\u00" + (byte < 16 ? "0" : "") + String(byte, radix: 16))
        default: bytes.append(byte)
        }
    }

    /// One value of any type.
    func value<T: Encodable>(_ value: T) throws {
        if T.self == String.self, let text = value as? String { return string(text) }
        if T.self == [Float].self, let numbers = value as? [Float] { return array(numbers) }
        if T.self == [Double].self, let numbers = value as? [Double] { return array(numbers) }
        let (depth, start) = (depth, bytes.count)
        try value.encode(to: JSONEncoderNode(self))
        settle(to: depth)
        // A type without properties writes nothing at all.
        if bytes.count == start { plain("{}") }
    }

    private func array<Value: BinaryFloatingPoint & LosslessStringConvertible>(_ numbers: [Value]) {
        bytes.append(UInt8(ascii: "["))
        for (place, value) in numbers.enumerated() {
            if place > 0 { bytes.append(UInt8(ascii: ",")) }
            number(value)
        }
        bytes.append(UInt8(ascii: "]"))
    }
}
