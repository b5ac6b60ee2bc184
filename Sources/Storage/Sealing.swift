import GRDB
public import TimeSeries

/// The chunks that one series' readings of the journal became, ready to be written.
public struct SealedSeries: Sendable {
    public var series: SeriesID
    /// Readings up to this position are in the chunks.
    var position: JournalPosition
    /// Chunks that are replaced, by their start.
    var replaced: [Int64]
    var chunks: [Chunk]
    /// Chunks that could not be read, by their start.
    var damaged: [Int64]
}

extension Store {
    /// Turns the journal's readings up to `end` into chunks, series by series, without writing anything.
    ///
    /// Runs away from the writer. What it gives is written with ``WriteTransaction/seal(_:)``; until then the journal
    /// counts.
    ///
    /// - Parameter body: takes one series; returns false to stop.
    public func prepareSeal(through end: JournalPosition, _ body: (SealedSeries) throws -> Bool) throws {
        let tail = try journalTail(of: nil, through: end)
        for series in tail.series {
            let sealed = try read { db in
                try Self.seal(tail[series], of: series, through: end, ChunkRows(db: db))
            }
            guard try body(sealed) else { return }
        }
    }

    private static func seal(
        _ readings: [PositionedReading], of series: SeriesID, through end: JournalPosition, _ rows: ChunkRows
    ) throws -> SealedSeries {
        var sealed = SealedSeries(series: series, position: end, replaced: [], chunks: [], damaged: [])
        let starts = try rows.starts(series)
        // A reading goes into the chunk that begins before it, the oldest ones into the first.
        let groups = Dictionary(grouping: readings) { reading in
            Self.start(in: starts, holding: reading.reading.timestamp.nanoseconds)
        }
        for (start, added) in groups {
            var former: [PositionedReading] = []
            if let start, let stored = try rows.fetch(series, at: start) {
                if let chunk = try? stored.decoded() {
                    former = chunk.readings
                    sealed.replaced.append(start)
                } else {
                    sealed.damaged.append(start)
                }
            }
            sealed.chunks += cut(merge(former, added))
        }
        return sealed
    }

    /// The last of the ascending `starts` that is not after `time`, else the first.
    private static func start(in starts: [Int64], holding time: Int64) -> Int64? {
        var (low, high) = (0, starts.count)
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] <= time { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? starts[low - 1] : starts.first
    }

    /// One reading per timestamp and timeliness: the one with the highest position.
    private static func merge(_ former: [PositionedReading], _ added: [PositionedReading]) -> [PositionedReading] {
        let all = (former + added).sorted { ($0.order, $0.position) < ($1.order, $1.position) }
        return all.indices.filter { $0 + 1 == all.count || all[$0].order != all[$0 + 1].order }.map { all[$0] }
    }

    private static func cut(_ readings: [PositionedReading]) -> [Chunk] {
        stride(from: 0, to: readings.count, by: Chunk.capacity).map { start in
            let part = Array(readings[start..<min(start + Chunk.capacity, readings.count)])
            return Chunk(readings: part, lastPosition: part.reduce(0) { max($0, $1.position) })
        }
    }
}

extension PositionedReading {
    /// By time; a fresh reading before a late one of the same time.
    struct Order: Comparable {
        let time: Timestamp
        let timeliness: UInt8

        static func < (a: Order, b: Order) -> Bool {
            (a.time, a.timeliness) < (b.time, b.timeliness)
        }
    }

    var order: Order { Order(time: reading.timestamp, timeliness: reading.timeliness.rawValue) }
}

extension WriteTransaction {
    /// Writes the chunks of one series; from then on its readings up to there do not count in the journal.
    public func seal(_ sealed: SealedSeries) throws {
        let rows = ChunkRows(db: db)
        for start in sealed.damaged { try rows.quarantine(sealed.series, at: start) }
        for start in sealed.replaced { try rows.remove(sealed.series, at: start) }
        for chunk in sealed.chunks { try rows.insert(chunk, of: sealed.series) }
        let sql = "UPDATE series SET sealed = ? WHERE id = ?"
        try db.cachedStatement(sql: sql).execute(arguments: [sealed.position, sealed.series.rawValue])
        try CheckedTable.series.sign(db, where: "id = ?", [sealed.series.rawValue])
        notes.sealed = true
    }

    /// Drops at most `limit` rows of the journal that lie at or before `end` and are wholly sealed.
    ///
    /// - Returns: how many readings they held; 0 when there are no more.
    public func dropSealed(through end: JournalPosition, limit: Int) throws -> Int {
        let dropped = try JournalRows(db: db).drop(through: end, limit: limit)
        notes.journalReadings -= dropped
        return dropped
    }
}
