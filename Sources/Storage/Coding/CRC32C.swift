/// CRC-32C (Castagnoli), reflected, polynomial 0x82F63B78: RFC 3720, appendix B.4.
///
/// Eight bytes per step with eight tables ("slicing by eight", Kounavis and Berry 2005): table `k` holds the effect of
/// a byte on the checksum with `k` bytes after it.
package enum CRC32C {
    /// `[8][256]`.
    private static let tables: [UInt32] = {
        var tables: [UInt32] = (0..<256).map { byte in
            (0..<8).reduce(UInt32(byte)) { crc, _ in crc & 1 == 1 ? (crc >> 1) ^ 0x82F6_3B78 : crc >> 1 }
        }
        for index in 256..<8 * 256 {
            let previous = tables[index - 256]
            tables.append((previous >> 8) ^ tables[Int(previous & 0xFF)])
        }
        return tables
    }()

    /// The checksum of a row: of its bytes and of its numbers, so that damage to the numbers is detected too.
    static func checksum(of numbers: [Int64], _ bytes: [UInt8]) -> UInt32 {
        var writer = ByteWriter()
        for number in numbers { writer.fixed(number) }
        return ~advance(advance(~0, writer.bytes), bytes)
    }

    /// The checksum of some bytes.
    package static func checksum(_ bytes: [UInt8]) -> UInt32 { ~advance(~0, bytes) }

    /// The register after more bytes.
    private static func advance(_ register: UInt32, _ bytes: [UInt8]) -> UInt32 {
        tables.withUnsafeBufferPointer { tables in
            bytes.withUnsafeBytes { bytes in
                var crc = register
                let words = bytes.count / 8 * 8
                for offset in stride(from: 0, to: words, by: 8) {
                    let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
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
