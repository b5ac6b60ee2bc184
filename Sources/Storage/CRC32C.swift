/// CRC-32C (Castagnoli), reflected, polynomial 0x82F63B78: RFC 3720, appendix B.4.
enum CRC32C {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { crc, _ in crc & 1 == 1 ? (crc >> 1) ^ 0x82F6_3B78 : crc >> 1 }
    }

    /// The checksum of a row: of its numbers, so that they cannot be damaged unseen either, and its bytes.
    static func checksum(of numbers: [Int64], _ bytes: [UInt8]) -> UInt32 {
        var writer = ByteWriter()
        for number in numbers { writer.fixed(number) }
        return checksum(writer.bytes + bytes)
    }

    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~table.withUnsafeBufferPointer { table in
            bytes.reduce(~0) { crc, byte in (crc >> 8) ^ table[Int((crc ^ UInt32(byte)) & 0xFF)] }
        }
    }
}
