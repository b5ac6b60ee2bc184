/// The `Encoder` of this target, which writes directly and builds no tree.
struct JSONEncoderNode: Encoder {
    let output: JSONOutput
    /// The number of containers that were open before this value.
    private let depth: Int

    init(_ output: JSONOutput) {
        self.output = output
        depth = output.depth
    }

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        // A type may request the container of its object twice.
        if output.depth == depth { output.beginObject() }
        return KeyedEncodingContainer(JSONObjectWriter<Key>(output: output, depth: depth + 1))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if output.depth == depth { output.beginArray() }
        return JSONArrayWriter(output: output, depth: depth + 1)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }
}

extension JSONEncoderNode: SingleValueEncodingContainer {
    func encodeNil() { output.plain("null") }
    func encode(_ value: Bool) { output.plain(value ? "true" : "false") }
    func encode(_ value: String) { output.string(value) }
    func encode(_ value: Double) throws { try output.number(value) }
    func encode(_ value: Float) throws { try output.number(value) }
    func encode(_ value: Int) { output.plain(value.description) }
    func encode(_ value: Int8) { output.plain(value.description) }
    func encode(_ value: Int16) { output.plain(value.description) }
    func encode(_ value: Int32) { output.plain(value.description) }
    func encode(_ value: Int64) { output.plain(value.description) }
    func encode(_ value: UInt) { output.plain(value.description) }
    func encode(_ value: UInt8) { output.plain(value.description) }
    func encode(_ value: UInt16) { output.plain(value.description) }
    func encode(_ value: UInt32) { output.plain(value.description) }
    func encode(_ value: UInt64) { output.plain(value.description) }
    func encode<T: Encodable>(_ value: T) throws { try output.value(value) }
}

/// Writes the members of one object.
private struct JSONObjectWriter<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let output: JSONOutput
    let depth: Int

    var codingPath: [any CodingKey] { [] }

    /// Writes the key and returns the encoder of its value.
    private func node(_ key: Key) -> JSONEncoderNode {
        output.name(key.stringValue, at: depth)
        return JSONEncoderNode(output)
    }

    func encodeNil(forKey key: Key) { node(key).encodeNil() }
    func encode(_ value: Bool, forKey key: Key) { node(key).encode(value) }
    func encode(_ value: String, forKey key: Key) { node(key).encode(value) }
    func encode(_ value: Double, forKey key: Key) throws { try node(key).encode(value) }
    func encode(_ value: Float, forKey key: Key) throws { try node(key).encode(value) }
    func encode(_ value: Int, forKey key: Key) { node(key).encode(value) }
    func encode(_ value: Int8, forKey key: Key) { node(key).encode(value) }
    func encode(_ value: Int16, forKey key: Key) { node(key).encode(value) }
    func encode(_ value: Int32, forKey key: Key) { node(key).encode(value) }
    func encode(_ value: Int64, forKey key: Key) { node(key).encode(value) }
    func encode(_ value: UInt, forKey key: Key) { node(key).encode(value) }
    func encode(_ value: UInt8, forKey key: Key) { node(key).encode(value) }
    func encode(_ value: UInt16, forKey key: Key) { node(key).encode(value) }
    func encode(_ value: UInt32, forKey key: Key) { node(key).encode(value) }
    func encode(_ value: UInt64, forKey key: Key) { node(key).encode(value) }
    func encode<T: Encodable>(_ value: T, forKey key: Key) throws { try node(key).encode(value) }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> { node(key).container(keyedBy: type) }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { node(key).unkeyedContainer() }
    func superEncoder() -> any Encoder {
        output.name("super", at: depth)
        return JSONEncoderNode(output)
    }
    func superEncoder(forKey key: Key) -> any Encoder { node(key) }
}

/// Writes the elements of one array.
private struct JSONArrayWriter: UnkeyedEncodingContainer {
    let output: JSONOutput
    let depth: Int
    private(set) var count = 0

    init(output: JSONOutput, depth: Int) {
        self.output = output
        self.depth = depth
    }

    var codingPath: [any CodingKey] { [] }

    private mutating func node() -> JSONEncoderNode {
        output.beginItem(at: depth)
        count += 1
        return JSONEncoderNode(output)
    }

    mutating func encodeNil() { node().encodeNil() }
    mutating func encode<T: Encodable>(_ value: T) throws { try node().encode(value) }
    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        node().container(keyedBy: type)
    }
    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { node().unkeyedContainer() }
    mutating func superEncoder() -> any Encoder { node() }
}
