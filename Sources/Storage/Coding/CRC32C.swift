/// CRC-32C (Castagnoli), reflected, polynomial 0x82F63B78: RFC 3720, appendix B.4.
///
/// Eight bytes a step through eight tables ("slicing by eight", Kounavis and Berry 2005): table `k` is what a byte does
/// to the checksum with `k` bytes after it.
package enum CRC32C {
    /// `[8][256]`.
    private static let tables: [UInt32] = {
        var tables: [UInt32] = (0..<256).map { byte in
            (0..<8).reduce(UInt32(byte)) { crc, _ in crc & 1 == 1 ? (crc >> 1) ^ 0x82F6_3B78 : crc >> 1 }
        }
        for place in 256..<8 * 256 {
            let before = tables[place - 256]
            tables.append((before >> 8) ^ tables[Int(before & 0xFF)])
        }
        return tables
    }()

    /// The checksum of a row: of its numbers, so that they cannot be damaged unseen either, and its bytes.
    static func checksum(of numbers: [Int64], _ bytes: [UInt8]) -> UInt32 {
        var writer = ByteWriter()
        for number in numbers { writer.fixed(number) }
        return ~advance(advance(~0, writer.bytes), bytes)
    }

    package static func checksum(_ bytes: [UInt8]) -> UInt32 { ~advance(~0, bytes) }

    /// The register after some more bytes.
    private static func advance(_ register: UInt32, _ bytes: [UInt8]) -> UInt32 {
        tables.withUnsafeBufferPointer { tables in
            bytes.withUnsafeBytes { bytes in
                var crc = register
                let words = bytes.count / 8 * 8
                for place in stride(from: 0, to: words, by: 8) {
                    let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
                    let mixed = word ^ UInt64(crc)
                    crc = 0
                    for byte in 0..<8 {
                        let value = Int(truncatingIfNeeded: mixed >> UInt64(8 * byte)) & 0xFF
                        crc ^= tables[(7 - byte) * 256 + value]
                    }
                }
                for byte in bytes[words...] { crc = (crc >> 8) ^ tables[Int((crc ^ UInt32(byte)) & 0xFF)] }
                return crc
            }
        }
    }
}
