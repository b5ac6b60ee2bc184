import Varlink

/// Finds out what a `Codable` type asks its decoder for: names, types and what may be left out.
///
/// It answers every question with some value, and writes down the question.
struct Schema {
    /// The type of Varlink's that `type` is on the wire.
    static func of<T: Decodable>(_ type: T.Type) throws -> VarlinkType {
        if let known = type as? any KnownSchema.Type { return try known.schema }
        let recorder = Recorder()
        _ = try T(from: recorder)
        return .structure(recorder.fields)
    }

    /// Any value of `type`.
    fileprivate static func value<T: Decodable>(_ type: T.Type) throws -> T {
        if let known = type as? any KnownSchema.Type, let value = known.example as? T { return value }
        return try T(from: Recorder())
    }
}

private protocol KnownSchema {
    static var schema: VarlinkType { get throws }
    static var example: Self { get }
}

extension Bool: KnownSchema {
    fileprivate static var schema: VarlinkType { .bool }
    fileprivate static var example: Bool { false }
}
extension Int: KnownSchema {
    fileprivate static var schema: VarlinkType { .int }
    fileprivate static var example: Int { 0 }
}
extension Float: KnownSchema {
    fileprivate static var schema: VarlinkType { .float }
    fileprivate static var example: Float { 0 }
}
extension Double: KnownSchema {
    fileprivate static var schema: VarlinkType { .float }
    fileprivate static var example: Double { 0 }
}
extension String: KnownSchema {
    fileprivate static var schema: VarlinkType { .string }
    fileprivate static var example: String { "" }
}
extension JSONValue: KnownSchema {
    fileprivate static var schema: VarlinkType { .object }
    fileprivate static var example: JSONValue { .object([:]) }
}
extension Array: KnownSchema where Element: Decodable {
    fileprivate static var schema: VarlinkType { get throws { .array(try Schema.of(Element.self)) } }
    fileprivate static var example: [Element] { [] }
}
extension Dictionary: KnownSchema where Key == String, Value: Decodable {
    fileprivate static var schema: VarlinkType { get throws { .dictionary(try Schema.of(Value.self)) } }
    fileprivate static var example: [String: Value] { [:] }
}

/// A type that is coded as something this decoder does not know: a container of its own or a single value.
struct UnknownSchema: Error {}

private final class Recorder: Decoder {
    var fields: [InterfaceDescription.Field] = []
    let codingPath: [any CodingKey] = []
    let userInfo: [CodingUserInfoKey: Any] = [:]

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(RecordingContainer<Key>(recorder: self))
    }
    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw UnknownSchema() }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { throw UnknownSchema() }
}

private struct RecordingContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let recorder: Recorder
    let codingPath: [any CodingKey] = []
    let allKeys: [Key] = []

    private func record<T: Decodable>(_ type: T.Type, _ key: Key, isOptional: Bool = false) throws {
        let found = try Schema.of(type)
        recorder.fields.append(.init(name: key.stringValue, type: isOptional ? .maybe(found) : found))
    }

    func contains(_ key: Key) -> Bool { true }
    func decodeNil(forKey key: Key) throws -> Bool { throw UnknownSchema() }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        try record(type, key)
        return try Schema.value(type)
    }
    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try known(type, key) }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try known(type, key) }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try known(type, key) }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try known(type, key) }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try known(type, key) }
    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
        try record(type, key, isOptional: true)
        return nil
    }
    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { try optional(type, key) }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { try optional(type, key) }
    func decodeIfPresent(_ type: Float.Type, forKey key: Key) throws -> Float? { try optional(type, key) }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? { try optional(type, key) }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? { try optional(type, key) }

    private func known<T: Decodable & KnownSchema>(_ type: T.Type, _ key: Key) throws -> T {
        try record(type, key)
        return T.example
    }
    private func optional<T: Decodable>(_ type: T.Type, _ key: Key) throws -> T? {
        try record(type, key, isOptional: true)
        return nil
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> { throw UnknownSchema() }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { throw UnknownSchema() }
    func superDecoder() throws -> any Decoder { throw UnknownSchema() }
    func superDecoder(forKey key: Key) throws -> any Decoder { throw UnknownSchema() }
}
