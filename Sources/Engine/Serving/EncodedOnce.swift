import Basics

/// A value that many readers encode the same way: each encoding is made once, by the first reader that needs it, and kept
/// for as long as the value.
public final class EncodedOnce<Value: Sendable>: Sendable {
    public let value: Value
    private let encodings = Locked<[Int: [UInt8]]>([:])

    /// Bounds what readers can make this keep.
    private static var encodingLimit: Int { 4 }

    init(_ value: Value) { self.value = value }

    /// The bytes of one encoding.
    ///
    /// - Parameters:
    ///   - number: identifies the encoding among those of this value.
    ///   - encode: makes it; other readers of the value wait meanwhile.
    /// - Throws: what `encode` throws; the next reader tries again.
    public func bytes(encoding number: Int, _ encode: (Value) throws -> [UInt8]) rethrows -> [UInt8] {
        try encodings.withLock { encodings in
            if let known = encodings[number] { return known }
            if encodings.count >= Self.encodingLimit { encodings = [:] }
            let made = try encode(value)
            encodings[number] = made
            return made
        }
    }
}
