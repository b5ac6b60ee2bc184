/// The parts of a line that contain text, with their escaping and termination rules.
enum NamePart: CustomStringConvertible {
    case measurement, tagKey, tagValue, fieldKey, string

    /// Whether a backslash before `byte` is an escape rather than a literal backslash.
    @inline(__always)
    func isEscapable(_ byte: UInt8) -> Bool {
        switch self {
        case .measurement: byte == Byte.comma || byte == Byte.space
        case .tagKey, .tagValue, .fieldKey: byte == Byte.comma || byte == Byte.space || byte == Byte.equals
        case .string:
            byte == Byte.quote || byte == Byte.backslash || byte == UInt8(ascii: "n") || byte == UInt8(ascii: "r")
                || byte == UInt8(ascii: "t")
        }
    }

    /// The byte that `\byte` represents.
    func unescaped(_ byte: UInt8) -> UInt8 {
        guard case .string = self else { return byte }
        return switch byte {
        case UInt8(ascii: "n"): Byte.newline
        case UInt8(ascii: "r"): Byte.carriageReturn
        case UInt8(ascii: "t"): UInt8(ascii: "\t")
        default: byte
        }
    }

    /// Whether an unescaped `byte` ends the name.
    @inline(__always)
    func isEnd(_ byte: UInt8) -> Bool {
        byte <= Byte.space || byte == Byte.comma || byte == 0x7F || (byte == Byte.equals && self != .measurement)
    }

    var description: String {
        switch self {
        case .measurement: "a measurement"
        case .tagKey: "a tag key"
        case .tagValue: "a tag value"
        case .fieldKey: "a field key"
        case .string: "a string"
        }
    }
}
