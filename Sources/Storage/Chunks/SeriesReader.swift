public import TimeSeries

/// The readings of one series between two instants: one per timestamp, ascending, chunks and journal as one.
public struct SeriesReader {
    private var cursor: ChunkCursor
    private var tail: ArraySlice<PositionedReading>
    private let range: ClosedRange<Timestamp>
    private var isAtEnd = false
    /// Read from chunks and not given yet.
    private var pending: [PositionedReading] = []
    /// The newest timestamp given: a seal that goes on meanwhile may put readings into a chunk that is read later.
    private var given: Timestamp?

    /// - Parameter tail: the series' part of ``Store/journalTail(of:through:)``.
    public init(_ store: Store, _ series: SeriesID, in range: ClosedRange<Timestamp>, tail: [PositionedReading]) {
        cursor = store.chunks(of: series, notOlderThan: range.lowerBound)
        self.tail = tail.sorted { ($0.reading.timestamp, $0.position) < ($1.reading.timestamp, $1.position) }[...]
        self.range = range
    }

    /// The next readings, some hundreds at a time; nil at the end.
    public mutating func next() throws -> [Reading]? {
        while !isAtEnd {
            let sealed = try cursor.next()
            pending += sealed ?? []
            isAtEnd = sealed == nil || pending.last.map { $0.reading.timestamp > range.upperBound } ?? false
            // The timestamp that a chunk ends with may go on in the next.
            let end = isAtEnd ? nil : pending.last?.reading.timestamp
            let readings = winners(Array(takePending(before: end)) + takeTail(before: end))
            if !readings.isEmpty { return readings }
        }
        return nil
    }

    private mutating func takePending(before end: Timestamp?) -> ArraySlice<PositionedReading> {
        let count = end.map { end in pending.prefix { $0.reading.timestamp < end }.count } ?? pending.count
        defer { pending.removeFirst(count) }
        return pending.prefix(count)
    }

    private mutating func takeTail(before end: Timestamp?) -> ArraySlice<PositionedReading> {
        let count = end.map { end in tail.prefix { $0.reading.timestamp < end }.count } ?? tail.count
        defer { tail = tail.dropFirst(count) }
        return tail.prefix(count)
    }

    /// One reading per timestamp: that of the highest position; at equal ones the late one, which came later.
    private mutating func winners(_ readings: [PositionedReading]) -> [Reading] {
        let all = readings.sorted { a, b in
            (a.reading.timestamp, a.position, a.reading.timeliness.rawValue)
                < (b.reading.timestamp, b.position, b.reading.timeliness.rawValue)
        }
        let chosen = all.indices.filter { place in
            (place + 1 == all.count || all[place].reading.timestamp != all[place + 1].reading.timestamp)
                && range.contains(all[place].reading.timestamp)
                && (given.map { all[place].reading.timestamp > $0 } ?? true)
        }.map { all[$0].reading }
        given = chosen.last?.timestamp ?? given
        return chosen
    }
}
