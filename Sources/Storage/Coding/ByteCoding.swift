/// Writes integers and floats as bytes.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    /// - Parameter capacity: the expected number of bytes.
    init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    mutating func byte(_ value: UInt8) { bytes.append(value) }
    mutating func append(_ more: [UInt8]) { bytes += more }

    /// LEB128: seven bits a byte, the lowest first.
    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func zigzag(_ value: Int64) { varint(ZigZag.encode(value)) }

    mutating func fixed<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func text(_ value: String) {
        varint(UInt64(value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }
}

/// Reads integers and floats from bytes; malformed input throws an error and never traps.
struct ByteReader {
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { offset == bytes.count }
    var remaining: Int { bytes.count - offset }

    mutating func byte() throws(StorageError) -> UInt8 {
        guard offset < bytes.count else { throw .malformed("it ends too early") }
        defer { offset += 1 }
        return bytes[offset]
    }

    mutating func varint() throws(StorageError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            let next = try byte()
            value |= UInt64(next & 0x7F) << shift
            if next < 0x80 { return value }
        }
        throw .malformed("a number has more than ten bytes")
    }

    mutating func zigzag() throws(StorageError) -> Int64 {
        ZigZag.decode(try varint())
    }

    mutating func fixed<T: FixedWidthInteger>(_: T.Type) throws(StorageError) -> T {
        let size = MemoryLayout<T>.size
        guard remaining >= size else { throw .malformed("it ends too early") }
        defer { offset += size }
        return bytes.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: T.self)) }
    }

    mutating func count(limit: Int) throws(StorageError) -> Int {
        let value = try varint()
        guard value <= UInt64(limit) else { throw .malformed("a count of \(value) where at most \(limit) can be") }
        return Int(value)
    }

    mutating func text() throws(StorageError) -> String {
        let length = try count(limit: remaining)
        defer { offset += length }
        return String(decoding: bytes[offset..<offset + length], as: UTF8.self)
    }
}
