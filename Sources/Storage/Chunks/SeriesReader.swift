public import TimeSeries

/// The readings of one series within a time range, from chunks and journal: one per timestamp, ascending.
public struct SeriesReader {
    private var cursor: ChunkCursor
    private var tail: ArraySlice<PositionedReading>
    private let range: ClosedRange<Timestamp>
    private var isAtEnd = false
    /// Read from chunks and not returned yet.
    private var pending: [PositionedReading] = []
    /// The newest timestamp returned: a seal that runs in the meantime may put the same readings into a chunk that is
    /// read later.
    private var lastReturned: Timestamp?

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
            // The last timestamp of a chunk may continue in the next one.
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

    /// One reading per timestamp: the one with the highest position; at equal positions the late one, which arrived
    /// later.
    private mutating func winners(_ readings: [PositionedReading]) -> [Reading] {
        let all = readings.sorted { a, b in
            (a.reading.timestamp, a.position, a.reading.timeliness.rawValue)
                < (b.reading.timestamp, b.position, b.reading.timeliness.rawValue)
        }
        let chosen = all.indices.filter { index in
            (index + 1 == all.count || all[index].reading.timestamp != all[index + 1].reading.timestamp)
                && range.contains(all[index].reading.timestamp)
                && (lastReturned.map { all[index].reading.timestamp > $0 } ?? true)
        }.map { all[$0].reading }
        lastReturned = chosen.last?.timestamp ?? lastReturned
        return chosen
    }
}
