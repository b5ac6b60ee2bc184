/// Strings as JSON writes them (RFC 8259, section 7).
package enum JSONText {
    package static func quoted(_ text: String) -> String {
        let escaped = text.utf8.reduce(into: [Byte.quote]) { out, byte in
            switch byte {
            case Byte.quote, Byte.backslash: out += [Byte.backslash, byte]
            case Byte.newline: out += "\\n".utf8
            case Byte.carriageReturn: out += "\\r".utf8
            case UInt8(ascii: "\t"): out += "\\t".utf8
            case 0..<0x20: out += "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8
            default: out.append(byte)
            }
        }
        return String(decoding: escaped + [Byte.quote], as: UTF8.self)
    }
}
