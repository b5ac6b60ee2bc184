/// One value of a message, decoded in place: the `Decoder` of this target.
///
/// Foundation's decoder builds a tree first; this one scans the bytes, which is faster for messages with many numbers
/// (Benchmarks/HISTORY.md).
final class JSONNode: Decoder {
    let bytes: [UInt8]
    /// The offset of the value in ``bytes``.
    let start: Int
    /// The offset after the value, once it has been scanned.
    var end: Int?
    private let parent: JSONNode?
    private let key: (any CodingKey)?

    init(_ bytes: [UInt8], at start: Int, parent: JSONNode? = nil, key: (any CodingKey)? = nil) {
        self.bytes = bytes
        self.start = start
        self.parent = parent
        self.key = key
    }

    let userInfo: [CodingUserInfoKey: Any] = [:]
    var codingPath: [any CodingKey] { (parent?.codingPath ?? []) + (key.map { [$0] } ?? []) }
    var scanner: JSONScanner { JSONScanner(bytes, at: start) }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(try JSONObjectContainer<Key>(self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { try JSONArrayContainer(self) }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

    func mismatch(_ type: Any.Type, _ expected: String) -> DecodingError {
        .typeMismatch(type, .init(codingPath: codingPath, debugDescription: "expected \(expected)"))
    }

    /// Runs `body`, which scans the whole value, and converts JSON syntax errors into decoding errors.
    func reading<T>(_ body: (inout JSONScanner) throws -> T) throws -> T {
        do {
            var scanner = scanner
            let value = try body(&scanner)
            end = scanner.position
            return value
        } catch let error as JSONSyntaxError {
            throw DecodingError.dataCorrupted(.init(codingPath: codingPath, debugDescription: "\(error)"))
        }
    }
}

extension JSONNode: SingleValueDecodingContainer {
    func decodeNil() -> Bool {
        var scanner = scanner
        return scanner.peek() == UInt8(ascii: "n") && (try? scanner.literal("null")) != nil
    }

    func decode(_ type: Bool.Type) throws -> Bool {
        try reading { scanner in
            let isTrue = scanner.peek() == UInt8(ascii: "t")
            guard isTrue || scanner.peek() == UInt8(ascii: "f") else { throw mismatch(type, "true or false") }
            try scanner.literal(isTrue ? "true" : "false")
            return isTrue
        }
    }

    func decode(_ type: String.Type) throws -> String {
        try reading { scanner in
            guard let text = try scanner.text() else { throw mismatch(type, "a string") }
            return text
        }
    }

    func decode(_ type: Double.Type) throws -> Double { try float(type) { $0.double } }
    func decode(_ type: Float.Type) throws -> Float { try float(type) { $0.float } }
    func decode(_ type: Int.Type) throws -> Int { try integer(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try integer(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try integer(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try integer(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try integer(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try integer(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try integer(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try integer(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try integer(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try integer(type) }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        // A forecast is mostly arrays of numbers: decode them without a container and a node per element.
        if type == [Float].self, let found = try numbers(Float.self, { $0.float }) as? T { return found }
        if type == [Double].self, let found = try numbers(Double.self, { $0.double }) as? T { return found }
        return try T(from: self)
    }

    private func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws -> Value {
        try reading { scanner in
            guard let value = try scanner.integer(type) else { throw mismatch(type, "an integer that fits \(type)") }
            return value
        }
    }

    private func float<Value: LosslessStringConvertible>(
        _ type: Value.Type, _ value: (JSONNumber) -> Value?
    ) throws -> Value {
        try reading { scanner in
            guard let found = try scanner.float(value) else { throw mismatch(type, "a number") }
            return found
        }
    }

    private func numbers<Value: LosslessStringConvertible>(
        _ type: Value.Type, _ value: (JSONNumber) -> Value?
    ) throws -> [Value] {
        try reading { scanner in
            guard scanner.peek() == UInt8(ascii: "[") else { throw mismatch(type, "an array") }
            var elements: [Value] = []
            try scanner.elements { scanner in
                guard let next = try scanner.float(value) else { throw mismatch(type, "a number") }
                elements.append(next)
            }
            return elements
        }
    }
}
