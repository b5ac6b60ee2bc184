public import TimeSeries

/// The readings that count in the journal, by series.
///
/// Series come in the same order again and again, so the one that came after this one the last time is tried first; a
/// dictionary would hash and look up every reading.
public struct JournalTails: Sendable {
    private struct Tail {
        let series: SeriesID
        /// Readings up to this position are sealed.
        let sealed: JournalPosition
        /// Readings before this are not wanted; nil: none is.
        let oldest: Timestamp?
        /// The place of the series that followed the last time.
        var following = 0
        var count = 0
        /// The place behind its last in ``JournalTails/order``.
        var end = 0
    }

    /// A reading without its series: there are a million of them when the journal is sealed.
    private struct TailReading {
        var timestamp: Timestamp
        var value: Double
        /// The position, and behind it one bit for the timeliness.
        var order: Int64
        /// The place of its series in ``JournalTails/tails``.
        var tail: Int32

        init(_ reading: Reading, at position: JournalPosition, tail: Int) {
            (timestamp, value) = (reading.timestamp, reading.value)
            order = position << 1 | (reading.timeliness == .late ? 1 : 0)
            self.tail = Int32(truncatingIfNeeded: tail)
        }

        func positioned(_ series: SeriesID) -> PositionedReading {
            let reading = Reading(
                series: series, timestamp: timestamp, value: value, timeliness: order & 1 == 1 ? .late : .fresh)
            return PositionedReading(reading: reading, position: order >> 1)
        }
    }

    private let sealed: [SeriesID: JournalPosition]
    private let oldest: [SeriesID: Timestamp]?
    private var tails: [Tail] = []
    /// Of all series, as they came: ten thousand arrays that grow would leave the memory in pieces.
    private var readings: [TailReading] = []
    /// The places of ``readings``, series by series: followed from one to the one before, a million readings cost a
    /// million waits for memory; looked up by their places, many are on their way at once.
    private var order: [UInt32] = []
    private var places: [SeriesID: Int] = [:]
    /// Of the series that came last.
    private var last = 0

    /// - Parameters:
    ///   - sealed: the positions up to which the readings of each series are sealed.
    ///   - oldest: the series wanted and the oldest timestamp of each; nil for everything.
    ///   - capacity: how many readings there may be: room that is not needed is never touched.
    init(sealed: [SeriesID: JournalPosition], oldest: [SeriesID: Timestamp]?, capacity: Int) {
        (self.sealed, self.oldest) = (sealed, oldest)
        readings.reserveCapacity(capacity)
    }

    /// Takes a reading in if it counts and is wanted.
    mutating func take(_ reading: Reading, at position: JournalPosition) {
        let place = place(of: reading.series)
        guard position > tails[place].sealed, let oldest = tails[place].oldest, reading.timestamp >= oldest else {
            return
        }
        readings.append(TailReading(reading, at: position, tail: place))
        tails[place].count += 1
    }

    /// Sorts what was taken by series; nothing is taken afterwards.
    mutating func sort() {
        var end = 0
        for place in tails.indices {
            tails[place].end = end
            end += tails[place].count
        }
        order = Array(repeating: 0, count: readings.count)
        for (place, reading) in readings.enumerated() {
            order[tails[Int(reading.tail)].end] = UInt32(truncatingIfNeeded: place)
            tails[Int(reading.tail)].end += 1
        }
    }

    private mutating func place(of series: SeriesID) -> Int {
        if last < tails.count {
            let guess = tails[last].following
            if tails[guess].series == series {
                last = guess
                return guess
            }
        }
        let place = places[series] ?? add(series)
        tails[last].following = place
        last = place
        return place
    }

    private mutating func add(_ series: SeriesID) -> Int {
        places[series] = tails.count
        let oldest = oldest.map { $0[series] } ?? .distantPast
        tails.append(Tail(series: series, sealed: sealed[series] ?? 0, oldest: oldest))
        return tails.count - 1
    }

    /// The series that have readings here, ascending.
    public var series: [SeriesID] { tails.filter { $0.count > 0 }.map(\.series).sorted() }

    /// The readings of a series, ascending by position.
    public subscript(series: SeriesID) -> [PositionedReading] {
        guard let place = places[series] else { return [] }
        let tail = tails[place]
        return order[tail.end - tail.count..<tail.end].map { readings[Int($0)].positioned(series) }
    }
}
