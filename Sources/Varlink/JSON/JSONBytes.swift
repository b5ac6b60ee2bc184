/// Encodes values as JSON text and decodes them, without Foundation.
package enum JSONBytes {
    /// Encodes a value.
    ///
    /// - Throws: `EncodingError`.
    package static func encode(_ value: some Encodable) throws -> [UInt8] {
        let output = JSONOutput()
        try output.value(value)
        return output.bytes
    }

    /// Decodes the value that starts at the offset `start`; what follows it is ignored.
    ///
    /// - Throws: `DecodingError`.
    package static func decode<T: Decodable>(_ type: T.Type, _ bytes: [UInt8], at start: Int = 0) throws -> T {
        try JSONNode(bytes, at: start).decode(type)
    }
}
