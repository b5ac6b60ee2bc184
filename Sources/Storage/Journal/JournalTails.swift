public import TimeSeries

/// The readings that count in the journal, by series.
///
/// Series usually repeat in the same order, so the series that followed the current one last time is tried first; a
/// dictionary would have to be searched for every reading.
public struct JournalTails: Sendable {
    private struct Tail {
        let series: SeriesID
        /// Readings up to this position are sealed.
        let sealed: JournalPosition
        /// Older readings are not wanted; nil if none are.
        let oldest: Timestamp?
        /// The index of the series that followed last time.
        var following = 0
        var count = 0
        /// The index after its last reading in ``JournalTails/indicesBySeries``.
        var end = 0
    }

    /// A reading without its series, to save memory: there are a million of them when the journal is sealed.
    private struct TailReading {
        var timestamp: Timestamp
        var value: Double
        /// The position, shifted left by one; the lowest bit is set for a late reading.
        var packedPosition: Int64
        /// The index of its series in ``JournalTails/tails``.
        var tail: Int32

        init(_ reading: Reading, at position: JournalPosition, tail: Int) {
            (timestamp, value) = (reading.timestamp, reading.value)
            packedPosition = position << 1 | (reading.timeliness == .late ? 1 : 0)
            self.tail = Int32(truncatingIfNeeded: tail)
        }

        func positioned(_ series: SeriesID) -> PositionedReading {
            let reading = Reading(
                series: series, timestamp: timestamp, value: value, timeliness: packedPosition & 1 == 1 ? .late : .fresh
            )
            return PositionedReading(reading: reading, position: packedPosition >> 1)
        }
    }

    private let sealed: [SeriesID: JournalPosition]
    private let oldest: [SeriesID: Timestamp]?
    private var tails: [Tail] = []
    /// The readings of all series in journal order: ten thousand growing arrays would fragment the memory.
    private var readings: [TailReading] = []
    /// Indices into ``readings``, grouped by series. A linked list would cost a cache miss for each of a million
    /// readings, one after another; with indices, many loads are in flight at once.
    private var indicesBySeries: [UInt32] = []
    private var indices: [SeriesID: Int] = [:]
    /// The index of the series of the last reading.
    private var last = 0

    /// - Parameters:
    ///   - sealed: the positions up to which the readings of each series are sealed.
    ///   - oldest: the series wanted and the oldest timestamp of each; nil for everything.
    ///   - capacity: the most readings there may be; reserved memory that is not needed is never touched.
    init(sealed: [SeriesID: JournalPosition], oldest: [SeriesID: Timestamp]?, capacity: Int) {
        (self.sealed, self.oldest) = (sealed, oldest)
        readings.reserveCapacity(capacity)
    }

    /// Adds a reading if it counts and is wanted.
    mutating func add(_ reading: Reading, at position: JournalPosition) {
        let index = index(of: reading.series)
        guard position > tails[index].sealed, let oldest = tails[index].oldest, reading.timestamp >= oldest else {
            return
        }
        readings.append(TailReading(reading, at: position, tail: index))
        tails[index].count += 1
    }

    /// Groups the readings by series; nothing may be added afterwards.
    mutating func sort() {
        var end = 0
        for index in tails.indices {
            tails[index].end = end
            end += tails[index].count
        }
        indicesBySeries = Array(repeating: 0, count: readings.count)
        for (index, reading) in readings.enumerated() {
            indicesBySeries[tails[Int(reading.tail)].end] = UInt32(truncatingIfNeeded: index)
            tails[Int(reading.tail)].end += 1
        }
    }

    private mutating func index(of series: SeriesID) -> Int {
        if last < tails.count {
            let guess = tails[last].following
            if tails[guess].series == series {
                last = guess
                return guess
            }
        }
        let index = indices[series] ?? append(series)
        tails[last].following = index
        last = index
        return index
    }

    private mutating func append(_ series: SeriesID) -> Int {
        indices[series] = tails.count
        let oldest = oldest.map { $0[series] } ?? .distantPast
        tails.append(Tail(series: series, sealed: sealed[series] ?? 0, oldest: oldest))
        return tails.count - 1
    }

    /// The series that have readings here, ascending.
    public var series: [SeriesID] { tails.filter { $0.count > 0 }.map(\.series).sorted() }

    /// The readings of a series, ascending by position.
    public subscript(series: SeriesID) -> [PositionedReading] {
        guard let index = indices[series] else { return [] }
        let tail = tails[index]
        return indicesBySeries[tail.end - tail.count..<tail.end].map { readings[Int($0)].positioned(series) }
    }
}
