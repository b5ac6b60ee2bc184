/// Unsigned integers in blocks of 64, each block as wide as its largest number needs.
///
/// | bytes | what |
/// |---|---|
/// | 1 | width in bits, 0…64 |
/// | ⌈count · width / 8⌉ | the numbers of the block, the lowest bit first |
///
/// A block of zeros costs one byte; timestamps at regular intervals give nothing but zeros.
enum BitPacking {
    private static let blockSize = 64

    static func write(_ numbers: [UInt64], to writer: inout ByteWriter) {
        for block in blocks(numbers) {
            let width = width(of: block)
            writer.byte(UInt8(width))
            write(block, width: width, to: &writer)
        }
    }

    /// The number of bytes that ``write(_:to:)`` writes.
    static func size(of numbers: [UInt64]) -> Int {
        blocks(numbers).reduce(0) { $0 + 1 + ($1.count * width(of: $1) + 7) / 8 }
    }

    private static func blocks(_ numbers: [UInt64]) -> some Sequence<ArraySlice<UInt64>> {
        stride(from: 0, to: numbers.count, by: blockSize).lazy.map { start in
            numbers[start..<min(start + blockSize, numbers.count)]
        }
    }

    private static func width(of block: ArraySlice<UInt64>) -> Int {
        64 - block.reduce(0) { $0 | $1 }.leadingZeroBitCount
    }

    private static func write(_ block: ArraySlice<UInt64>, width: Int, to writer: inout ByteWriter) {
        var (pending, filled) = (UInt64(0), 0)
        for number in block {
            pending |= number << UInt64(filled)
            filled += width
            guard filled >= 64 else { continue }
            writer.fixed(pending)
            filled -= 64
            // The bits that did not fit, if any.
            pending = number >> UInt64(width - filled)
        }
        while filled > 0 {
            writer.byte(UInt8(truncatingIfNeeded: pending))
            (pending, filled) = (pending >> 8, filled - 8)
        }
    }

    static func read(_ count: Int, from reader: inout ByteReader) throws(StorageError) -> [UInt64] {
        var numbers: [UInt64] = []
        numbers.reserveCapacity(count)
        while numbers.count < count {
            let width = Int(try reader.byte())
            guard width <= 64 else { throw .malformed("numbers of \(width) bits") }
            try read(min(blockSize, count - numbers.count), width: width, from: &reader, into: &numbers)
        }
        return numbers
    }

    private static func read(
        _ count: Int, width: Int, from reader: inout ByteReader, into numbers: inout [UInt64]
    ) throws(StorageError) {
        var (byte, unread) = (UInt64(0), 0)
        for _ in 0..<count {
            var (number, bits) = (UInt64(0), 0)
            while bits < width {
                if unread == 0 { (byte, unread) = (UInt64(try reader.byte()), 8) }
                let taken = min(unread, width - bits)
                number |= (byte & ((1 << UInt64(taken)) - 1)) << UInt64(bits)
                (byte, unread, bits) = (byte >> UInt64(taken), unread - taken, bits + taken)
            }
            numbers.append(number)
        }
    }
}

/// Maps signed integers of small magnitude to small unsigned ones: 0, −1, 1, −2 … → 0, 1, 2, 3 ….
enum ZigZag {
    static func encode(_ value: Int64) -> UInt64 { UInt64(bitPattern: (value << 1) ^ (value >> 63)) }
    static func decode(_ value: UInt64) -> Int64 { Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
}
