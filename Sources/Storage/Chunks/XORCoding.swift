/// Doubles encoded as the changes from one to the next: Pelkonen et al. 2015, "Gorilla: a fast, scalable, in-memory
/// time series database", section 4.1.3.
///
/// | bits | what |
/// |---|---|
/// | 64 | the first value's IEEE 754 bits; then for each further one the XOR with the one before: |
/// | 1 | 0: nothing changes |
/// | 1, 1, w | 1, 0: the change lies in the window that was given last; the bits of the window |
/// | 1, 1, 5, 6, w | 1, 1, zeros before the window (at most 31), its width minus 1; the bits of the window |
///
/// Bits fill each byte from the lowest bit up.
enum XORCoding {
    /// The bits of a change that are written: `width` of them, followed by `trailing` zeros.
    private struct Window {
        var leading: Int
        var trailing: Int
        var width: Int { 64 - leading - trailing }
    }

    static func encode(_ values: [Double]) -> [UInt8] {
        var writer = BitWriter()
        var (previous, window) = (UInt64(0), Window?.none)
        for (index, value) in values.enumerated() {
            let change = value.bitPattern ^ previous
            previous = value.bitPattern
            if index == 0 { writer.write(change, width: 64) } else { write(change, &window, to: &writer) }
        }
        return writer.bytes
    }

    private static func write(_ change: UInt64, _ window: inout Window?, to writer: inout BitWriter) {
        guard change != 0 else { return writer.write(0, width: 1) }
        let (leading, trailing) = (min(31, change.leadingZeroBitCount), change.trailingZeroBitCount)
        writer.write(1, width: 1)
        if let known = window, leading >= known.leading, trailing >= known.trailing {
            writer.write(0, width: 1)
            return writer.write(change >> UInt64(known.trailing), width: known.width)
        }
        let new = Window(leading: leading, trailing: trailing)
        writer.write(1, width: 1)
        writer.write(UInt64(new.leading), width: 5)
        writer.write(UInt64(new.width - 1), width: 6)
        writer.write(change >> UInt64(new.trailing), width: new.width)
        window = new
    }

    static func decode(_ count: Int, from bytes: inout ByteReader) throws(StorageError) -> [Double] {
        var reader = BitReader()
        var values: [Double] = []
        values.reserveCapacity(count)
        var (previous, window) = (UInt64(0), Window?.none)
        for index in 0..<count {
            let change =
                index == 0
                ? try reader.read(64, from: &bytes) : try Self.change(&window, from: &reader, &bytes)
            previous ^= change
            values.append(Double(bitPattern: previous))
        }
        return values
    }

    private static func change(
        _ window: inout Window?, from reader: inout BitReader, _ bytes: inout ByteReader
    ) throws(StorageError) -> UInt64 {
        guard try reader.read(1, from: &bytes) == 1 else { return 0 }
        if try reader.read(1, from: &bytes) == 1 {
            let leading = Int(try reader.read(5, from: &bytes))
            let width = Int(try reader.read(6, from: &bytes)) + 1
            guard leading + width <= 64 else { throw .malformed("a change of \(leading) and \(width) bits") }
            window = Window(leading: leading, trailing: 64 - leading - width)
        }
        guard let window else { throw .malformed("a change before its window") }
        return try reader.read(window.width, from: &bytes) << UInt64(window.trailing)
    }
}

/// Packs bits into bytes, the lowest bit first.
private struct BitWriter {
    private(set) var bytes: [UInt8] = []
    /// Bits used of the last byte.
    private var filled = 8

    mutating func write(_ value: UInt64, width: Int) {
        var (rest, bits) = (value, width)
        while bits > 0 {
            if filled == 8 {
                bytes.append(0)
                filled = 0
            }
            let taken = min(8 - filled, bits)
            bytes[bytes.count - 1] |= UInt8(truncatingIfNeeded: rest & ((1 << UInt64(taken)) - 1)) << UInt8(filled)
            rest >>= UInt64(taken)
            (filled, bits) = (filled + taken, bits - taken)
        }
    }
}

/// Unpacks bits from bytes, the lowest bit first.
private struct BitReader {
    private var byte = UInt64(0)
    private var unread = 0

    mutating func read(_ width: Int, from bytes: inout ByteReader) throws(StorageError) -> UInt64 {
        var (value, bits) = (UInt64(0), 0)
        while bits < width {
            if unread == 0 { (byte, unread) = (UInt64(try bytes.byte()), 8) }
            let taken = min(unread, width - bits)
            value |= (byte & ((1 << UInt64(taken)) - 1)) << UInt64(bits)
            (byte, unread, bits) = (byte >> UInt64(taken), unread - taken, bits + taken)
        }
        return value
    }
}
