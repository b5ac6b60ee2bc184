import TimeSeries

/// The blob of one journal row.
///
/// | bytes | what |
/// |---|---|
/// | 1 | version, 1 |
/// | varint | number of series, then that many zigzag series numbers |
/// | varint | number of readings, then for each: |
/// | varint | `series index × 4 + timeliness × 2 + removed` |
/// | zigzag | timestamp in ns minus the previous one of the same series in this blob (0 at first) |
/// | 8 | the value's IEEE 754 bits, little-endian; left out when removed |
///
/// A removed reading keeps its place, so the positions of the others stay.
enum JournalCodec {
    private static let version: UInt8 = 1

    /// A slot of the blob: a reading, or the place of a removed one.
    typealias Place = (reading: Reading, isRemoved: Bool)

    /// The same place without its reading.
    static func emptied(_ place: Place) -> Place {
        let nothing = Reading(
            series: place.reading.series, timestamp: Timestamp(nanoseconds: 0), value: 0, timeliness: .late)
        return (nothing, true)
    }

    static func encode(_ places: [Place]) -> [UInt8] {
        var index: [SeriesID: Int] = [:]
        var order: [SeriesID] = []
        for place in places where index[place.reading.series] == nil {
            index[place.reading.series] = order.count
            order.append(place.reading.series)
        }
        var writer = ByteWriter()
        writer.byte(version)
        writer.varint(UInt64(order.count))
        for series in order { writer.zigzag(series.rawValue) }
        writer.varint(UInt64(places.count))
        var previous = [Int64](repeating: 0, count: order.count)
        for (reading, isRemoved) in places {
            let series = index[reading.series] ?? 0
            writer.varint(UInt64(series) << 2 | UInt64(reading.timeliness.rawValue) << 1 | (isRemoved ? 1 : 0))
            writer.zigzag(reading.timestamp.nanoseconds &- previous[series])
            previous[series] = reading.timestamp.nanoseconds
            if !isRemoved { writer.fixed(reading.value.bitPattern) }
        }
        return writer.bytes
    }

    static func decode(_ bytes: [UInt8]) throws(StorageError) -> [Place] {
        var reader = ByteReader(bytes)
        let found = try reader.byte()
        guard found == version else { throw .malformed("format \(found) of a journal entry is not known") }
        let seriesCount = try reader.count(limit: reader.remaining)
        var order: [SeriesID] = []
        for _ in 0..<seriesCount { order.append(SeriesID(try reader.zigzag())) }
        var previous = [Int64](repeating: 0, count: seriesCount)
        let count = try reader.count(limit: reader.remaining)
        var places: [Place] = []
        places.reserveCapacity(count)
        for _ in 0..<count { places.append(try place(&reader, order, &previous)) }
        guard reader.isAtEnd else { throw .malformed("\(reader.remaining) bytes follow its end") }
        return places
    }

    private static func place(
        _ reader: inout ByteReader, _ order: [SeriesID], _ previous: inout [Int64]
    ) throws(StorageError) -> Place {
        let head = try reader.varint()
        guard head >> 2 < UInt64(order.count) else { throw .malformed("series index \(head >> 2) is not in its list") }
        let series = Int(head >> 2)
        previous[series] = previous[series] &+ (try reader.zigzag())
        let isRemoved = head & 1 == 1
        let value = isRemoved ? 0 : Double(bitPattern: try reader.fixed(UInt64.self))
        let reading = Reading(
            series: order[series], timestamp: Timestamp(nanoseconds: previous[series]), value: value,
            timeliness: head & 2 == 2 ? .late : .fresh)
        return (reading, isRemoved)
    }
}
