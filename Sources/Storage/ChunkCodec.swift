import TimeSeries

/// Sealed history of one series, as it is taken apart and put together.
struct Chunk: Equatable {
    /// Ascending by timestamp; at one timestamp the fresh reading before the late one. At most one of each.
    var readings: [PositionedReading]
    /// The highest journal position of its readings.
    var lastPosition: JournalPosition

    /// Readings in one chunk at most.
    static let capacity = 1_024
}

/// The data of a chunk row.
///
/// | bytes | what |
/// |---|---|
/// | 1 | version, 1 |
/// | varint | number of readings n, 1…1,024 |
/// | varint | highest journal position |
/// | zigzag | first timestamp in ns |
/// | varint | the largest unit, in ns, that divides all differences of timestamps; 1 if there are none |
/// | packed | n − 1 zigzag second differences of the timestamps in that unit |
/// | varint | number of late readings, then for each: |
/// | varint, varint | its index minus that of the one before; highest journal position minus its own |
/// | rest | values, see ``ValueCodec`` |
///
/// A fresh reading's own position is not kept: among sealed readings it no longer decides anything, and it lies before
/// every position in the journal.
enum ChunkCodec {
    private static let version: UInt8 = 1

    static func encode(_ chunk: Chunk) -> [UInt8] {
        let readings = chunk.readings
        var writer = ByteWriter()
        writer.byte(version)
        writer.varint(UInt64(readings.count))
        writer.varint(UInt64(bitPattern: chunk.lastPosition))
        write(readings.map(\.reading.timestamp.nanoseconds), to: &writer)
        let late = readings.indices.filter { readings[$0].reading.timeliness == .late }
        writer.varint(UInt64(late.count))
        var before = 0
        for index in late {
            writer.varint(UInt64(index - before))
            writer.varint(UInt64(bitPattern: chunk.lastPosition - readings[index].position))
            before = index
        }
        ValueCodec.write(readings.map(\.reading.value), to: &writer)
        return writer.bytes
    }

    private static func write(_ times: [Int64], to writer: inout ByteWriter) {
        writer.zigzag(times.first ?? 0)
        // Wrapping, because 2262 minus 1677 does not fit; decoding wraps back.
        let steps = zip(times.dropFirst(), times).map { $0 &- $1 }
        let divisor = unit(of: steps)
        writer.varint(UInt64(divisor))
        var (step, scaled) = (Int64(0), Int64(0))
        let second = steps.map { next -> UInt64 in
            // Most steps are the one before, and cost no division.
            guard next != step else { return 0 }
            let before = scaled
            (step, scaled) = (next, next / divisor)
            return ZigZag.encode(scaled &- before)
        }
        BitPacking.write(second, to: &writer)
    }

    /// The largest that divides all; 1 if there are none.
    private static func unit(of steps: [Int64]) -> Int64 {
        var (unit, before) = (UInt64(0), Int64(0))
        for step in steps where step != before {
            unit = greatestCommonDivisor(unit, step.magnitude)
            before = step
        }
        return unit == 0 || unit > UInt64(Int64.max) ? 1 : Int64(unit)
    }

    private static func greatestCommonDivisor(_ a: UInt64, _ b: UInt64) -> UInt64 {
        var (a, b) = (a, b)
        while b != 0 { (a, b) = (b, a % b) }
        return a
    }

    static func decode(_ bytes: [UInt8], series: SeriesID) throws(StorageError) -> Chunk {
        var reader = ByteReader(bytes)
        let found = try reader.byte()
        guard found == version else { throw .malformed("format \(found) of a chunk is not known") }
        let count = try reader.count(limit: Chunk.capacity)
        guard count > 0 else { throw .malformed("it has no readings") }
        let last = JournalPosition(bitPattern: try reader.varint())
        let times = try times(count, from: &reader)
        var readings = times.map { time in
            PositionedReading(
                reading: Reading(
                    series: series, timestamp: Timestamp(nanoseconds: time), value: 0, timeliness: .fresh),
                position: last)
        }
        try markLate(&readings, last, from: &reader)
        let values = try ValueCodec.read(count, from: &reader)
        guard values.count == count, reader.isAtEnd else { throw .malformed("its length is wrong") }
        for index in readings.indices { readings[index].reading.value = values[index] }
        return Chunk(readings: readings, lastPosition: last)
    }

    /// The number of readings in a chunk that is whole; 0 if its data say none.
    static func count(of bytes: [UInt8]) -> Int {
        var reader = ByteReader(bytes)
        guard (try? reader.byte()) == version else { return 0 }
        return (try? reader.count(limit: Chunk.capacity)) ?? 0
    }

    private static func times(_ count: Int, from reader: inout ByteReader) throws(StorageError) -> [Int64] {
        var time = try reader.zigzag()
        let unit = Int64(bitPattern: try reader.varint())
        var step: Int64 = 0
        let packed = try BitPacking.read(count - 1, from: &reader)
        return [time]
            + packed.map { difference in
                step = step &+ ZigZag.decode(difference)
                time = time &+ step &* unit
                return time
            }
    }

    private static func markLate(
        _ readings: inout [PositionedReading], _ last: JournalPosition, from reader: inout ByteReader
    ) throws(StorageError) {
        var index = 0
        for _ in 0..<(try reader.count(limit: readings.count)) {
            index += try reader.count(limit: readings.count)
            guard readings.indices.contains(index) else { throw .malformed("a late reading outside of it") }
            readings[index].reading.timeliness = .late
            readings[index].position = last &- JournalPosition(bitPattern: try reader.varint())
        }
    }
}
