public import TimeSeries

/// The readings of one series between two instants: one per timestamp, ascending, chunks and journal as one.
public struct SeriesReader {
    private var cursor: ChunkCursor
    private var tail: ArraySlice<PositionedReading>
    private let range: ClosedRange<Timestamp>
    private var isAtEnd = false

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
            let last = sealed?.last?.reading.timestamp ?? .distantFuture
            let count = tail.prefix { $0.reading.timestamp <= last }.count
            let readings = winners((sealed ?? []) + tail.prefix(count))
            tail = tail.dropFirst(count)
            isAtEnd = sealed == nil || last > range.upperBound
            if !readings.isEmpty { return readings }
        }
        return nil
    }

    /// One reading per timestamp: that of the highest position; at equal ones the late one, which came later.
    private func winners(_ readings: [PositionedReading]) -> [Reading] {
        let all = readings.sorted { a, b in
            (a.reading.timestamp, a.position, a.reading.timeliness.rawValue)
                < (b.reading.timestamp, b.position, b.reading.timeliness.rawValue)
        }
        return all.indices.filter { place in
            (place + 1 == all.count || all[place].reading.timestamp != all[place + 1].reading.timestamp)
                && range.contains(all[place].reading.timestamp)
        }.map { all[$0].reading }
    }
}
