import TimeSeries

/// A part of the sealed history of one series, decoded.
struct Chunk: Equatable {
    /// Ascending by timestamp, then by position; at most three share a timestamp, see ``SealedChoice``.
    var readings: [PositionedReading]
    /// The highest journal position of its readings.
    var lastPosition: JournalPosition

    /// The most readings that one chunk holds.
    static let capacity = 1_024
}

/// The data of a chunk row.
///
/// | bytes | what |
/// |---|---|
/// | 1 | version, 2 |
/// | varint | number of readings n, 1…1,024 |
/// | varint | highest journal position |
/// | zigzag | first timestamp in ns |
/// | varint | the largest unit, in ns, that divides all differences of timestamps; 1 if there are none |
/// | packed | n − 1 zigzag second differences of the timestamps in that unit |
/// | varint | number of positioned readings, then for each: |
/// | varint | its index minus that of the one before |
/// | varint | bit 0: timeliness; bits 1…: highest journal position minus its own |
/// | rest | values, see ``ValueCodec`` |
///
/// Positions are stored only for late readings and for those that share their timestamp with another. The position of a
/// fresh reading that is alone at its timestamp does not matter: it precedes every position that still counts in the
/// journal.
///
/// Version 1 stored the positions of late readings only, as `varint index, varint distance`; see ``decode(_:series:)``.
enum ChunkCodec {
    private static let version: UInt8 = 2

    static func encode(_ chunk: Chunk) -> [UInt8] {
        let readings = chunk.readings
        var writer = ByteWriter()
        writer.byte(version)
        writer.varint(UInt64(readings.count))
        writer.varint(UInt64(bitPattern: chunk.lastPosition))
        write(readings.map(\.reading.timestamp.nanoseconds), to: &writer)
        let positioned = readings.indices.filter { isPositioned($0, in: readings) }
        writer.varint(UInt64(positioned.count))
        var previous = 0
        for index in positioned {
            writer.varint(UInt64(index - previous))
            let distance = UInt64(bitPattern: chunk.lastPosition - readings[index].position)
            writer.varint(distance << 1 | UInt64(readings[index].reading.timeliness.rawValue))
            previous = index
        }
        ValueCodec.write(readings.map(\.reading.value), to: &writer)
        return writer.bytes
    }

    private static func isPositioned(_ index: Int, in readings: [PositionedReading]) -> Bool {
        guard readings[index].reading.timeliness == .fresh else { return true }
        let time = readings[index].reading.timestamp
        return index > 0 && readings[index - 1].reading.timestamp == time
            || index + 1 < readings.count && readings[index + 1].reading.timestamp == time
    }

    private static func write(_ times: [Int64], to writer: inout ByteWriter) {
        writer.zigzag(times.first ?? 0)
        // Wrapping, because the year 2262 minus the year 1677 does not fit in 64 bits; decoding wraps back.
        let steps = zip(times.dropFirst(), times).map { $0 &- $1 }
        let divisor = unit(of: steps)
        writer.varint(UInt64(divisor))
        var (step, scaled) = (Int64(0), Int64(0))
        let second = steps.map { next -> UInt64 in
            // Most steps equal the previous one and need no division.
            guard next != step else { return 0 }
            let previous = scaled
            (step, scaled) = (next, next / divisor)
            return ZigZag.encode(scaled &- previous)
        }
        BitPacking.write(second, to: &writer)
    }

    /// The greatest common divisor of all steps; 1 if there are no steps, if all are zero, or if it does not fit.
    private static func unit(of steps: [Int64]) -> Int64 {
        var (unit, previous) = (UInt64(0), Int64(0))
        for step in steps where step != previous {
            unit = greatestCommonDivisor(unit, step.magnitude)
            previous = step
        }
        return unit == 0 || unit > UInt64(Int64.max) ? 1 : Int64(unit)
    }

    private static func greatestCommonDivisor(_ a: UInt64, _ b: UInt64) -> UInt64 {
        var (a, b) = (a, b)
        while b != 0 { (a, b) = (b, a % b) }
        return a
    }

    /// Decodes the data of a chunk row.
    ///
    /// Fresh readings of version 1 have no position of their own. A late reading that follows at the same timestamp
    /// arrived later, even at the beginning of the next chunk, into which the last timestamp may extend.
    ///
    /// - Throws: ``StorageError/malformed(_:)``.
    static func decode(_ bytes: [UInt8], series: SeriesID) throws(StorageError) -> Chunk {
        var reader = ByteReader(bytes)
        let found = try reader.byte()
        guard (1...version).contains(found) else { throw .malformed("format \(found) of a chunk is not known") }
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
        if found == 1 {
            try readVersion1(&readings, last, from: &reader)
        } else {
            try readPositions(&readings, last, from: &reader)
        }
        let values = try ValueCodec.read(count, from: &reader)
        guard values.count == count, reader.isAtEnd else { throw .malformed("its length is wrong") }
        for index in readings.indices { readings[index].reading.value = values[index] }
        return Chunk(readings: readings, lastPosition: last)
    }

    /// The number of readings in an intact chunk; 0 if the data do not say.
    static func count(of bytes: [UInt8]) -> Int {
        var reader = ByteReader(bytes)
        guard let found = try? reader.byte(), (1...version).contains(found) else { return 0 }
        return (try? reader.count(limit: Chunk.capacity)) ?? 0
    }

    /// The number of late readings in a chunk of version 1 that follow a different value at the same timestamp: that
    /// version let the earlier value win.
    static func shadowedCorrections(in bytes: [UInt8], series: SeriesID) throws(StorageError) -> Int {
        guard bytes.first == 1 else { return 0 }
        let readings = try decode(bytes, series: series).readings
        return readings.indices.dropFirst().count { index in
            let (earlier, reading) = (readings[index - 1].reading, readings[index].reading)
            return reading.timeliness == .late && earlier.timestamp == reading.timestamp
                && earlier.value != reading.value
        }
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

    private static func readPositions(
        _ readings: inout [PositionedReading], _ last: JournalPosition, from reader: inout ByteReader
    ) throws(StorageError) {
        var index = 0
        for _ in 0..<(try reader.count(limit: readings.count)) {
            index += try reader.count(limit: readings.count)
            guard readings.indices.contains(index) else { throw .malformed("a positioned reading outside of it") }
            let coded = try reader.varint()
            readings[index].reading.timeliness = coded & 1 == 1 ? .late : .fresh
            readings[index].position = last &- JournalPosition(bitPattern: coded >> 1)
        }
    }

    private static func readVersion1(
        _ readings: inout [PositionedReading], _ last: JournalPosition, from reader: inout ByteReader
    ) throws(StorageError) {
        var index = 0
        for _ in 0..<(try reader.count(limit: readings.count)) {
            index += try reader.count(limit: readings.count)
            guard readings.indices.contains(index) else { throw .malformed("a late reading outside of it") }
            readings[index].reading.timeliness = .late
            readings[index].position = last &- JournalPosition(bitPattern: try reader.varint())
            let time = readings[index].reading.timestamp
            if index > 0, readings[index - 1].reading.timestamp == time { readings[index - 1].position = 0 }
        }
        let end = readings.count - 1
        if readings[end].reading.timeliness == .fresh { readings[end].position = 0 }
    }
}
