import TimeSeries

/// The blob of one journal row.
///
/// | bytes | what |
/// |---|---|
/// | 1 | version, 3 |
/// | varint | number of readings, then for each: |
/// | 1 | bit 0: removed; bit 1: timeliness; bits 2–4: form of the value; bits 5–7: the step of the series number, its |
/// | | number minus that of the reading before, as zigzag; 7: it follows |
/// | zigzag | the step, if bits 5–7 say so |
/// | zigzag | timestamp in ns minus that of the reading before; left out when removed |
/// | zigzag | form 1…7: m, and the value is m / 10^(form − 1); left out when removed |
/// | 8 | form 0: the value's IEEE 754 bits, little-endian; left out when removed |
///
/// For the first reading, "the reading before" is all zeros. Series are often read at the same time and in the same
/// order, and sensors have few decimals, so most readings take four or five bytes. A removed reading leaves a
/// tombstone, so the positions of the others do not change.
enum JournalCodec {
    private static let version: UInt8 = 3

    /// One entry of the blob: a reading, or the tombstone of a removed one.
    typealias Item = (reading: Reading, isRemoved: Bool)

    /// The entry as a tombstone.
    static func tombstone(for item: Item) -> Item { (placeholder(of: item.reading.series), true) }

    fileprivate static func placeholder(of series: SeriesID) -> Reading {
        Reading(series: series, timestamp: Timestamp(nanoseconds: 0), value: 0, timeliness: .late)
    }

    static func encode(_ items: [Item]) -> [UInt8] {
        var writer = ByteWriter(capacity: 12 * items.count + 16)
        writer.byte(version)
        writer.varint(UInt64(items.count))
        var (series, time, form) = (Int64(0), Int64(0), 1)
        for (reading, isRemoved) in items {
            let step = ZigZag.encode(reading.series.rawValue &- series)
            series = reading.series.rawValue
            let integer = isRemoved ? nil : ShortDecimal.integer(reading.value, digits: &form)
            let flags = reading.timeliness.rawValue << 1 | (isRemoved ? 1 : 0)
            writer.byte(UInt8(min(step, 7)) << 5 | UInt8(integer == nil ? 0 : form + 1) << 2 | flags)
            if step >= 7 { writer.varint(step) }
            if isRemoved { continue }
            writer.zigzag(reading.timestamp.nanoseconds &- time)
            time = reading.timestamp.nanoseconds
            if let integer { writer.zigzag(integer) } else { writer.fixed(reading.value.bitPattern) }
        }
        return writer.bytes
    }

    static func decode(_ bytes: [UInt8]) throws(StorageError) -> [Item] {
        var reader = ByteReader(bytes)
        let found = try reader.byte()
        if found == JournalFormat2.version { return try JournalFormat2.decode(&reader) }
        guard found == version else { throw .malformed("format \(found) of a journal entry is not known") }
        let count = try reader.count(limit: reader.remaining)
        var items: [Item] = []
        items.reserveCapacity(count)
        var previous = Reading(
            series: SeriesID(0), timestamp: Timestamp(nanoseconds: 0), value: 0, timeliness: .fresh)
        for _ in 0..<count { items.append(try item(&reader, after: &previous)) }
        guard reader.isAtEnd else { throw .malformed("\(reader.remaining) bytes follow its end") }
        return items
    }

    private static func item(_ reader: inout ByteReader, after previous: inout Reading) throws(StorageError) -> Item {
        let head = try reader.byte()
        let step = head >> 5 == 7 ? try reader.zigzag() : ZigZag.decode(UInt64(head >> 5))
        previous.series = SeriesID(previous.series.rawValue &+ step)
        guard head & 1 == 0 else { return (placeholder(of: previous.series), true) }
        previous.timestamp = Timestamp(nanoseconds: previous.timestamp.nanoseconds &+ (try reader.zigzag()))
        let form = Int(head >> 2 & 7)
        previous.value =
            form == 0
            ? Double(bitPattern: try reader.fixed(UInt64.self))
            : ShortDecimal.value(try reader.zigzag(), digits: form - 1)
        previous.timeliness = head & 2 == 2 ? .late : .fresh
        return (previous, false)
    }
}
