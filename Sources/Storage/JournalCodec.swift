import TimeSeries

/// The blob of one journal row.
///
/// | bytes | what |
/// |---|---|
/// | 1 | version, 2 |
/// | varint | number of series, then that many zigzag series numbers |
/// | varint | number of readings, then for each: |
/// | varint | `series index × 4 + timeliness × 2 + removed` |
/// | zigzag | timestamp in ns minus the previous one of the same series in this blob; at a series' first, minus that of |
/// | | the reading before it, because series are often read at one time (0 at the very first) |
/// | 8 | the value's IEEE 754 bits, little-endian; left out when removed |
///
/// A removed reading keeps its place, so the positions of the others stay.
enum JournalCodec {
    private static let version: UInt8 = 2

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
        let series = places.map { place in
            let (id, next) = (place.reading.series, order.count)
            let found = index[id] ?? next
            if found == next {
                index[id] = next
                order.append(id)
            }
            return found
        }
        var writer = ByteWriter(capacity: 24 * places.count + 16)
        writer.byte(version)
        writer.varint(UInt64(order.count))
        for series in order { writer.zigzag(series.rawValue) }
        writer.varint(UInt64(places.count))
        var previous = Previous(seriesCount: order.count)
        for ((reading, isRemoved), series) in zip(places, series) {
            writer.varint(UInt64(series) << 2 | UInt64(reading.timeliness.rawValue) << 1 | (isRemoved ? 1 : 0))
            writer.zigzag(reading.timestamp.nanoseconds &- previous.of(series))
            previous.note(reading.timestamp.nanoseconds, of: series)
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
        var previous = Previous(seriesCount: seriesCount)
        let count = try reader.count(limit: reader.remaining)
        var places: [Place] = []
        places.reserveCapacity(count)
        for _ in 0..<count { places.append(try place(&reader, order, &previous)) }
        guard reader.isAtEnd else { throw .malformed("\(reader.remaining) bytes follow its end") }
        return places
    }

    private static func place(
        _ reader: inout ByteReader, _ order: [SeriesID], _ previous: inout Previous
    ) throws(StorageError) -> Place {
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

    /// What the next timestamp of each series is counted from.
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
