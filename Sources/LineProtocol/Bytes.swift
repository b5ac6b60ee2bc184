#if canImport(Glibc)
    import Glibc
#endif

/// Untrusted bytes, read without copying; a read out of bounds gives 0, which no name and no number may contain.
///
/// Valid only during the call that provided the buffer.
struct Bytes {
    private let base: UnsafePointer<UInt8>?
    let count: Int

    init(_ buffer: UnsafeBufferPointer<UInt8>) {
        base = buffer.baseAddress
        count = buffer.count
    }

    @inline(__always)
    subscript(offset: Int) -> UInt8 {
        guard offset >= 0, offset < count, let base else { return 0 }
        return base[offset]
    }

    /// The bytes of `range`, clamped to the bounds.
    @inline(__always)
    func slice(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
        let lower = min(max(range.lowerBound, 0), count)
        let upper = min(max(range.upperBound, lower), count)
        guard let base else { return UnsafeBufferPointer(start: nil, count: 0) }
        return UnsafeBufferPointer(start: base + lower, count: upper - lower)
    }

    /// The offset of the first `byte` in `range`.
    @inline(__always)
    func first(_ byte: UInt8, in range: Range<Int>) -> Int? {
        let slice = slice(range)
        guard let start = slice.baseAddress, let match = memchr(start, Int32(byte), slice.count) else { return nil }
        return range.lowerBound + (UnsafeRawPointer(match) - UnsafeRawPointer(start))
    }

    /// Whether the bytes at `offset` equal `other`.
    @inline(__always)
    func holds(_ other: UnsafeBufferPointer<UInt8>, at offset: Int) -> Bool {
        guard offset >= 0, other.count <= count - offset, let base, let start = other.baseAddress else { return false }
        return memcmp(base + offset, start, other.count) == 0
    }

    /// The text of `range`; nil if it is not UTF-8.
    func text(_ range: Range<Int>) -> String? { String(validating: slice(range), as: UTF8.self) }
}

enum Byte {
    static let newline = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")
    static let comma = UInt8(ascii: ",")
    static let equals = UInt8(ascii: "=")
    static let quote = UInt8(ascii: "\"")
    static let backslash = UInt8(ascii: "\\")
    static let hash = UInt8(ascii: "#")
    static let minus = UInt8(ascii: "-")
    static let plus = UInt8(ascii: "+")
    static let dot = UInt8(ascii: ".")
    /// The byte order mark, U+FEFF, in UTF-8.
    static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
    /// Whether `byte` is a control character, which is allowed only in a quoted string.
    @inline(__always)
    static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7F }
    @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == newline || byte == carriageReturn }
}
