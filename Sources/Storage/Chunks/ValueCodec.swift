/// The values of a chunk, encoded losslessly, bit for bit, in the smallest form that fits.
///
/// | bytes | what |
/// |---|---|
/// | 1 | form: 0 decimal differences, 1 decimal offsets, 2 float32, 3 float64, 4 changes of float64 |
/// | forms 0, 1: 1 | digits d behind the point; a value is m / 10^d |
/// | form 0: zigzag, then packed | the first m, then the zigzag differences of neighbours |
/// | form 1: zigzag, then packed | the smallest m, then what each m is above it |
/// | form 2: 4 each | float32 bits, little-endian |
/// | form 3: 8 each | float64 bits, little-endian |
/// | form 4 | see ``XORCoding`` |
enum ValueCodec {
    private enum Form: UInt8 { case differences, offsets, float32, float64, changes }

    /// Powers of ten that a double holds exactly; m / 10^d is then rounded only once, so the value is restored bit for
    /// bit.
    private static let powers: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    ]

    static func write(_ values: [Double], to writer: inout ByteWriter) {
        if let (digits, scaled) = decimals(values), let first = scaled.first {
            return write(scaled, first: first, digits: digits, to: &writer)
        }
        if values.allSatisfy({ Double(Float($0)).bitPattern == $0.bitPattern }) {
            writer.byte(Form.float32.rawValue)
            for value in values { writer.fixed(Float(value).bitPattern) }
            return
        }
        let changes = XORCoding.encode(values)
        if changes.count < 8 * values.count {
            writer.byte(Form.changes.rawValue)
            writer.append(changes)
        } else {
            writer.byte(Form.float64.rawValue)
            for value in values { writer.fixed(value.bitPattern) }
        }
    }

    private static func write(_ scaled: [Int64], first: Int64, digits: Int, to writer: inout ByteWriter) {
        let smallest = scaled.reduce(first, min)
        let offsets = scaled.map { UInt64($0 - smallest) }
        let differences = zip(scaled.dropFirst(), scaled).map { ZigZag.encode($0 - $1) }
        let useOffsets = BitPacking.size(of: offsets) <= BitPacking.size(of: differences)
        writer.byte((useOffsets ? Form.offsets : .differences).rawValue)
        writer.byte(UInt8(digits))
        writer.zigzag(useOffsets ? smallest : first)
        BitPacking.write(useOffsets ? offsets : differences, to: &writer)
    }

    /// The fewest decimals with which every value is an integer over a power of ten, and those integers.
    private static func decimals(_ values: [Double]) -> (digits: Int, scaled: [Int64])? {
        for digits in powers.indices {
            if let all = scaled(values, digits) { return (digits, all) }
        }
        return nil
    }

    private static func scaled(_ values: [Double], _ digits: Int) -> [Int64]? {
        var all: [Int64] = []
        for value in values {
            guard let integer = scaled(value, digits) else { return nil }
            if all.isEmpty { all.reserveCapacity(values.count) }
            all.append(integer)
        }
        return all
    }

    private static func scaled(_ value: Double, _ digits: Int) -> Int64? {
        let product = (value * powers[digits]).rounded()
        // Above 2^50, the difference of two could be inexact.
        guard abs(product) < 0x1p50 else { return nil }
        let integer = Int64(product)
        // Compares bits, because an integer has no negative zero.
        return (Double(integer) / powers[digits]).bitPattern == value.bitPattern ? integer : nil
    }

    static func read(_ count: Int, from reader: inout ByteReader) throws(StorageError) -> [Double] {
        let found = try reader.byte()
        var values: [Double] = []
        values.reserveCapacity(count)
        switch Form(rawValue: found) {
        case .differences, .offsets:
            return try decimals(count, areOffsets: found == Form.offsets.rawValue, from: &reader)
        case .float32: for _ in 0..<count { values.append(Double(Float(bitPattern: try reader.fixed(UInt32.self)))) }
        case .float64: for _ in 0..<count { values.append(Double(bitPattern: try reader.fixed(UInt64.self))) }
        case .changes: return try XORCoding.decode(count, from: &reader)
        case nil: throw .malformed("values in an unknown form \(found)")
        }
        return values
    }

    private static func decimals(
        _ count: Int, areOffsets: Bool, from reader: inout ByteReader
    ) throws(StorageError) -> [Double] {
        let digits = Int(try reader.byte())
        guard digits < powers.count else { throw .malformed("values with \(digits) digits") }
        let base = try reader.zigzag()
        let packed = try BitPacking.read(areOffsets ? count : max(0, count - 1), from: &reader)
        if areOffsets { return packed.map { Double(base &+ Int64(bitPattern: $0)) / powers[digits] } }
        var last = base
        return [Double(base) / powers[digits]]
            + packed.map { difference in
                last = last &+ ZigZag.decode(difference)
                return Double(last) / powers[digits]
            }
    }
}
