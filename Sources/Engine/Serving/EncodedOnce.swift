import Basics

/// A value that caches its encodings: the first reader that needs an encoding creates it, and all others share it.
public final class EncodedOnce<Value: Sendable>: Sendable {
    public let value: Value
    private let encodings = Locked<[Int: [UInt8]]>([:])

    /// The maximum number of cached encodings.
    private static var encodingLimit: Int { 4 }

    init(_ value: Value) { self.value = value }

    /// The bytes of one encoding.
    ///
    /// - Parameters:
    ///   - number: identifies the encoding.
    ///   - encode: creates the encoding; other readers of the value wait meanwhile.
    /// - Throws: what `encode` throws; the next reader retries.
    public func bytes(encoding number: Int, _ encode: (Value) throws -> [UInt8]) rethrows -> [UInt8] {
        try encodings.withLock { encodings in
            if let cached = encodings[number] { return cached }
            if encodings.count >= Self.encodingLimit { encodings = [:] }
            let encoded = try encode(value)
            encodings[number] = encoded
            return encoded
        }
    }
}
