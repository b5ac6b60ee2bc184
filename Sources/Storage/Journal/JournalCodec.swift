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
/// "Before" is zero at the first. Series are often read at one time and in one order, and sensors have few decimals, so
/// most readings are four or five bytes. A removed reading keeps its place, so the positions of the others stay.
enum JournalCodec {
    private static let version: UInt8 = 3

    /// A slot of the blob: a reading, or the place of a removed one.
    typealias Place = (reading: Reading, isRemoved: Bool)

    /// The same place without its reading.
    static func emptied(_ place: Place) -> Place { (nothing(of: place.reading.series), true) }

    fileprivate static func nothing(of series: SeriesID) -> Reading {
        Reading(series: series, timestamp: Timestamp(nanoseconds: 0), value: 0, timeliness: .late)
    }

    static func encode(_ places: [Place]) -> [UInt8] {
        var writer = ByteWriter(capacity: 12 * places.count + 16)
        writer.byte(version)
        writer.varint(UInt64(places.count))
        var (series, time, form) = (Int64(0), Int64(0), 1)
        for (reading, isRemoved) in places {
            let step = ZigZag.encode(reading.series.rawValue &- series)
            series = reading.series.rawValue
            let whole = isRemoved ? nil : ShortDecimal.whole(reading.value, digits: &form)
            let flags = reading.timeliness.rawValue << 1 | (isRemoved ? 1 : 0)
            writer.byte(UInt8(min(step, 7)) << 5 | UInt8(whole == nil ? 0 : form + 1) << 2 | flags)
            if step >= 7 { writer.varint(step) }
            if isRemoved { continue }
            writer.zigzag(reading.timestamp.nanoseconds &- time)
            time = reading.timestamp.nanoseconds
            if let whole { writer.zigzag(whole) } else { writer.fixed(reading.value.bitPattern) }
        }
        return writer.bytes
    }

    static func decode(_ bytes: [UInt8]) throws(StorageError) -> [Place] {
        var reader = ByteReader(bytes)
        let found = try reader.byte()
        if found == JournalFormat2.version { return try JournalFormat2.decode(&reader) }
        guard found == version else { throw .malformed("format \(found) of a journal entry is not known") }
        let count = try reader.count(limit: reader.remaining)
        var places: [Place] = []
        places.reserveCapacity(count)
        var before = Reading(
            series: SeriesID(0), timestamp: Timestamp(nanoseconds: 0), value: 0, timeliness: .fresh)
        for _ in 0..<count { places.append(try place(&reader, after: &before)) }
        guard reader.isAtEnd else { throw .malformed("\(reader.remaining) bytes follow its end") }
        return places
    }

    private static func place(_ reader: inout ByteReader, after before: inout Reading) throws(StorageError) -> Place {
        let head = try reader.byte()
        let step = head >> 5 == 7 ? try reader.zigzag() : ZigZag.decode(UInt64(head >> 5))
        before.series = SeriesID(before.series.rawValue &+ step)
        guard head & 1 == 0 else { return (nothing(of: before.series), true) }
        before.timestamp = Timestamp(nanoseconds: before.timestamp.nanoseconds &+ (try reader.zigzag()))
        let form = Int(head >> 2 & 7)
        before.value =
            form == 0
            ? Double(bitPattern: try reader.fixed(UInt64.self))
            : ShortDecimal.value(try reader.zigzag(), digits: form - 1)
        before.timeliness = head & 2 == 2 ? .late : .fresh
        return (before, false)
    }
}
