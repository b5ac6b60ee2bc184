import Basics

/// Compares the encoded parameters of a call with what the interface file declares.
///
/// Runs for every call before its handler, so that handlers need not check: unknown names, missing parameters and wrong
/// types are distinguished from what the handler itself refuses.
struct ParameterCheck: Sendable {
    private let types: [String: VarlinkType]

    init(_ interface: InterfaceDescription) {
        types = Dictionary(keepingFirst: interface.types.map { ($0.name, $0.value) })
    }

    /// The name of the first parameter that does not match `fields`; nil if all do.
    ///
    /// - Parameter start: where the parameters start in `frame`; nil if there are none.
    func firstMismatch(_ fields: [InterfaceDescription.Field], _ frame: [UInt8], at start: Int?) throws -> String? {
        var missing = fields.filter { !$0.type.isOptional }.map(\.name)
        guard let start else { return missing.first }
        var scanner = JSONScanner(frame, at: start)
        guard scanner.peek() == UInt8(ascii: "{") else { return "parameters" }
        var firstMismatch: String?
        try scanner.members { scanner, name in
            guard let field = fields.first(where: { scanner.equals(name, $0.name) }) else {
                if firstMismatch == nil { firstMismatch = try scanner.decoded(name) }
                return try scanner.skipValue()
            }
            missing.removeAll { $0 == field.name }
            if try !fits(field.type, &scanner) { firstMismatch = firstMismatch ?? field.name }
        }
        return firstMismatch ?? missing.first
    }

    /// Whether the next value is of `type`; skips it either way.
    private func fits(_ type: VarlinkType, _ scanner: inout JSONScanner) throws -> Bool {
        let first = scanner.peek()
        switch type {
        case .maybe(let inner) where first != UInt8(ascii: "n"): return try fits(inner, &scanner)
        case .named(let name): return try types[name].map { try fits($0, &scanner) } ?? false
        case .array(let inner) where first == UInt8(ascii: "["): return try elements(inner, &scanner)
        case .dictionary(let inner) where first == UInt8(ascii: "{"): return try values(inner, &scanner)
        case .structure(let fields) where first == UInt8(ascii: "{"):
            let start = scanner.position
            try scanner.skipValue()
            return try firstMismatch(fields, scanner.bytes, at: start) == nil
        case .enumeration(let cases) where first == UInt8(ascii: "\""):
            let text = try scanner.string()
            return cases.contains { scanner.equals(text, $0) }
        case .int, .float:
            guard let first, first == UInt8(ascii: "-") || first &- UInt8(ascii: "0") < 10 else { break }
            let number = JSONNumber(scanner.bytes, try scanner.number())
            return type == .float || number.integer(Int64.self) != nil
        default: break
        }
        try scanner.skipValue()
        return Self.isPlain(type, first)
    }

    /// Whether a value that starts with the byte `first` is of `type`, for types that this byte alone decides.
    private static func isPlain(_ type: VarlinkType, _ first: UInt8?) -> Bool {
        switch type {
        case .bool: first == UInt8(ascii: "t") || first == UInt8(ascii: "f")
        case .string: first == UInt8(ascii: "\"")
        case .object: first == UInt8(ascii: "{")
        case .maybe: first == UInt8(ascii: "n")
        default: false
        }
    }

    private func elements(_ type: VarlinkType, _ scanner: inout JSONScanner) throws -> Bool {
        var fit = true
        try scanner.elements { if try !fits(type, &$0) { fit = false } }
        return fit
    }

    private func values(_ type: VarlinkType, _ scanner: inout JSONScanner) throws -> Bool {
        var fit = true
        try scanner.members { scanner, _ in if try !fits(type, &scanner) { fit = false } }
        return fit
    }
}
