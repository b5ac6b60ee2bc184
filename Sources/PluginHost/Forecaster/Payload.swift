/// The arrays of `org.nilometer.Forecaster`: base64 of little-endian float32 or int64.
enum Payload {
    static func encode(_ values: ArraySlice<Float>) -> String { encodeBytes(values) }
    static func encode(_ values: [Int64]) -> String { encodeBytes(values[...]) }

    private static func encodeBytes<Value>(_ values: ArraySlice<Value>) -> String {
        #if _endian(little)
            values.withUnsafeBytes { Base64.encode($0) }
        #else
            #error("states are little-endian on the wire; swap the bytes here")
        #endif
    }

    /// - Throws: ``PluginHostError/brokenContract(expected:found:)``.
    static func floats(_ text: String, count: Int, _ name: String) throws -> [Float] {
        try decode(text, count: count, name, zero: 0)
    }

    static func integers(_ text: String, count: Int, _ name: String) throws -> [Int64] {
        try decode(text, count: count, name, zero: 0)
    }

    private static func decode<Value: BitwiseCopyable>(
        _ text: String, count: Int, _ name: String, zero: Value
    ) throws -> [Value] {
        // An untrusted count must not make us allocate more memory than the text fills.
        let expected = count.multipliedReportingOverflow(by: MemoryLayout<Value>.size)
        guard count >= 0, !expected.overflow, expected.partialValue <= text.utf8.count else {
            throw mismatch(text, count, name)
        }
        var values = [Value](repeating: zero, count: count)
        guard values.withUnsafeMutableBytes({ Base64.decode(text, into: $0) }) else {
            throw mismatch(text, count, name)
        }
        return values
    }

    private static func mismatch(_ text: String, _ count: Int, _ name: String) -> PluginHostError {
        .brokenContract(
            expected: "\(name) as base64 of \(count) numbers", found: "\(text.utf8.count) characters that are not that")
    }
}
