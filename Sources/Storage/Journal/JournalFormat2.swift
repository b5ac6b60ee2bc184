import TimeSeries

/// The blob of a journal row as earlier versions wrote it; such rows stay unchanged until they are sealed.
///
/// | bytes | what |
/// |---|---|
/// | 1 | version, 2 |
/// | varint | number of series, then that many zigzag series numbers |
/// | varint | number of readings, then for each: |
/// | varint | `series index × 4 + timeliness × 2 + removed` |
/// | zigzag | timestamp in ns minus the previous one of the same series in this blob; at a series' first, minus that of |
/// | | the reading before it (0 at the very first) |
/// | 8 | the value's IEEE 754 bits, little-endian; left out when removed |
enum JournalFormat2 {
    static let version: UInt8 = 2

    /// - Parameter reader: positioned after the version byte.
    static func decode(_ reader: inout ByteReader) throws(StorageError) -> [JournalCodec.Item] {
        let seriesCount = try reader.count(limit: reader.remaining)
        var order: [SeriesID] = []
        for _ in 0..<seriesCount { order.append(SeriesID(try reader.zigzag())) }
        var previous = Previous(seriesCount: seriesCount)
        let count = try reader.count(limit: reader.remaining)
        var items: [JournalCodec.Item] = []
        items.reserveCapacity(count)
        for _ in 0..<count { items.append(try item(&reader, order, &previous)) }
        guard reader.isAtEnd else { throw .malformed("\(reader.remaining) bytes follow its end") }
        return items
    }

    private static func item(
        _ reader: inout ByteReader, _ order: [SeriesID], _ previous: inout Previous
    ) throws(StorageError) -> JournalCodec.Item {
        let head = try reader.varint()
        guard head >> 2 < UInt64(order.count) else { throw .malformed("series index \(head >> 2) is not in its list") }
        let series = Int(head >> 2)
        let time = previous.of(series) &+ (try reader.zigzag())
        previous.note(time, of: series)
        let isRemoved = head & 1 == 1
        let value = isRemoved ? 0 : Double(bitPattern: try reader.fixed(UInt64.self))
        let reading = Reading(
            series: order[series], timestamp: Timestamp(nanoseconds: time), value: value,
            timeliness: head & 2 == 2 ? .late : .fresh)
        return (reading, isRemoved)
    }

    /// The timestamp that the next one of each series is relative to.
    private struct Previous {
        private var ofSeries: [Int64?]
        private var newest: Int64 = 0

        init(seriesCount: Int) { ofSeries = Array(repeating: nil, count: seriesCount) }

        func of(_ series: Int) -> Int64 { ofSeries[series] ?? newest }

        mutating func note(_ time: Int64, of series: Int) {
            ofSeries[series] = time
            newest = time
        }
    }
}
