/// The members of one object.
struct JSONObjectContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let node: JSONNode
    private var members: [(name: JSONText, start: Int)] = []

    init(_ node: JSONNode) throws {
        self.node = node
        members = try node.reading { scanner in
            guard scanner.peek() == UInt8(ascii: "{") else { throw node.mismatch([String: Any].self, "an object") }
            var members: [(name: JSONText, start: Int)] = []
            members.reserveCapacity(8)
            try scanner.members { scanner, name in
                _ = scanner.peek()
                members.append((name, scanner.position))
                try scanner.skipValue()
            }
            return members
        }
    }

    var codingPath: [any CodingKey] { node.codingPath }
    var allKeys: [Key] {
        members.compactMap { (try? node.scanner.decoded($0.name)).flatMap { Key(stringValue: $0) } }
    }

    /// The offset of the value of `key`; nil if there is none.
    private func start(_ key: Key) -> Int? {
        let (scanner, name) = (node.scanner, key.stringValue)
        for member in members where scanner.equals(member.name, name) { return member.start }
        return nil
    }

    /// Reads a value without making a node; nil if it is missing or wrong, which the node then reports.
    private func plain<T>(_ key: Key, _ read: (inout JSONScanner) throws -> T?) -> T? {
        guard let start = start(key) else { return nil }
        var scanner = JSONScanner(node.bytes, at: start)
        return (try? read(&scanner)) ?? nil
    }

    private func value(_ key: Key) throws -> JSONNode {
        if let start = start(key) { return JSONNode(node.bytes, at: start, parent: node, key: key) }
        throw DecodingError.keyNotFound(
            key, .init(codingPath: codingPath, debugDescription: "\(key.stringValue) is missing"))
    }

    func contains(_ key: Key) -> Bool { start(key) != nil }
    func decodeNil(forKey key: Key) throws -> Bool { try value(key).decodeNil() }
    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try value(key).decode(type) }
    func decode(_ type: String.Type, forKey key: Key) throws -> String {
        try plain(key) { try $0.text() } ?? value(key).decode(type)
    }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double {
        try plain(key) { try $0.float { $0.double } } ?? value(key).decode(type)
    }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float {
        try plain(key) { try $0.float { $0.float } } ?? value(key).decode(type)
    }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int {
        try plain(key) { try $0.integer(type) } ?? value(key).decode(type)
    }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try value(key).decode(type) }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try value(key).decode(type) }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try value(key).decode(type) }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try value(key).decode(type) }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try value(key).decode(type) }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try value(key).decode(type) }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try value(key).decode(type) }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try value(key).decode(type) }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try value(key).decode(type) }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try value(key).decode(type) }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> { try value(key).container(keyedBy: type) }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try value(key).unkeyedContainer()
    }
    func superDecoder() throws -> any Decoder { node }
    func superDecoder(forKey key: Key) throws -> any Decoder { try value(key) }
}

/// The elements of one array, in order.
struct JSONArrayContainer: UnkeyedDecodingContainer {
    private let node: JSONNode
    private var scanner: JSONScanner
    private(set) var currentIndex = 0
    private(set) var isAtEnd: Bool

    init(_ node: JSONNode) throws {
        self.node = node
        scanner = node.scanner
        guard scanner.accept(UInt8(ascii: "[")) else { throw node.mismatch([Any].self, "an array") }
        isAtEnd = scanner.peek() == UInt8(ascii: "]")
    }

    var codingPath: [any CodingKey] { node.codingPath }
    let count: Int? = nil

    private struct Index: CodingKey {
        let intValue: Int?
        var stringValue: String { intValue.map { "\($0)" } ?? "" }
        init(intValue: Int) { self.intValue = intValue }
        init?(stringValue: String) { nil }
    }

    /// Calls `body` with the next element and skips it.
    private mutating func next<T>(_ body: (JSONNode) throws -> T) throws -> T {
        let key = Index(intValue: currentIndex)
        guard !isAtEnd else {
            throw DecodingError.valueNotFound(
                T.self, .init(codingPath: codingPath + [key], debugDescription: "the array has no more elements"))
        }
        _ = scanner.peek()
        let element = JSONNode(node.bytes, at: scanner.position, parent: node, key: key)
        let value = try body(element)
        do {
            if let end = element.end { scanner.position = end } else { try scanner.skipValue() }
            isAtEnd = !scanner.accept(UInt8(ascii: ","))
            if isAtEnd, !scanner.accept(UInt8(ascii: "]")) { throw scanner.failure("a comma or a closing bracket") }
        } catch {
            throw DecodingError.dataCorrupted(.init(codingPath: codingPath + [key], debugDescription: "\(error)"))
        }
        currentIndex += 1
        return value
    }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd, scanner.peek() == UInt8(ascii: "n") else { return false }
        return try next { _ in true }
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try next { try $0.decode(type) } }
    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> { try next { try $0.container(keyedBy: type) } }
    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try next { try $0.unkeyedContainer() }
    }
    mutating func superDecoder() throws -> any Decoder { try next { $0 } }
}
