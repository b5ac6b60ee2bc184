import GRDB
public import TimeSeries

/// The chunks that one series' readings of the journal became, ready to be written.
public struct SealedSeries: Sendable {
    public var series: SeriesID
    /// Readings up to this position are in the chunks.
    var position: JournalPosition
    /// Chunks that are replaced, by their start.
    var replaced: [Int64] = []
    var chunks: [ChunkRows.Stored] = []
    /// Chunks that could not be read, by their start.
    var damaged: [Int64] = []
}

extension Store {
    /// Series whose chunks are read in one transaction: beginning one costs more than a chunk.
    private static let seriesPerRead = 64

    /// Turns the journal's readings up to `end` into chunks, series by series, without writing anything.
    ///
    /// Runs away from the writer. What it gives is written with ``WriteTransaction/seal(_:)``; until then the journal
    /// counts.
    ///
    /// - Parameter body: takes one series; returns false to stop.
    public func prepareSeal(through end: JournalPosition, _ body: (SealedSeries) throws -> Bool) throws {
        let tail = try journalTail(of: nil, through: end)
        var rest = tail.series[...]
        while !rest.isEmpty {
            let turn = rest.prefix(Self.seriesPerRead)
            rest = rest.dropFirst(turn.count)
            let all = try read { db in
                try turn.map { try Self.seal(tail[$0], of: $0, through: end, ChunkRows(db: db)) }
            }
            for sealed in all { guard try body(sealed) else { return } }
        }
    }

    private static func seal(
        _ readings: [PositionedReading], of series: SeriesID, through end: JournalPosition, _ rows: ChunkRows
    ) throws -> SealedSeries {
        var sealed = SealedSeries(series: series, position: end)
        var rest = inOrder(readings)[...]
        while let oldest = rest.first {
            let found = try rows.fetch(series, holding: oldest.time)
            // A start that is damaged may lie anywhere.
            let next = found?.next.flatMap { $0 > oldest.time ? $0 : nil }
            let added = rest.prefix { reading in next.map { reading.time < $0 } ?? true }
            rest = rest.dropFirst(added.count)
            var former: [PositionedReading] = []
            if let stored = found?.chunk, !stored.isLargeAndBefore(oldest.time) {
                if let chunk = try? stored.decoded() {
                    former = chunk.readings
                    sealed.replaced.append(stored.start)
                } else {
                    sealed.damaged.append(stored.start)
                }
            }
            sealed.chunks += cut(inOrder(former + added)).compactMap { ChunkRows.Stored($0, of: series) }
        }
        return sealed
    }

    /// One reading per timestamp and timeliness, ascending: the one with the highest position.
    private static func inOrder(_ readings: [PositionedReading]) -> [PositionedReading] {
        let isInOrder = zip(readings, readings.dropFirst()).allSatisfy { $0.order < $1.order }
        guard !isInOrder else { return readings }
        let all = readings.sorted { ($0.order, $0.position) < ($1.order, $1.position) }
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
            a.time == b.time ? a.timeliness < b.timeliness : a.time < b.time
        }
    }

    /// In nanoseconds.
    fileprivate var time: Int64 { reading.timestamp.nanoseconds }

    var order: Order { Order(time: reading.timestamp, timeliness: reading.timeliness.rawValue) }
}

extension WriteTransaction {
    /// Writes the chunks of one series; from then on its readings up to there do not count in the journal.
    public func seal(_ sealed: SealedSeries) throws {
        let rows = ChunkRows(db: db)
        for start in sealed.damaged { try rows.quarantine(sealed.series, at: start) }
        let kept = Set(sealed.chunks.map(\.start))
        for start in sealed.replaced where !kept.contains(start) { try rows.remove(sealed.series, at: start) }
        for chunk in sealed.chunks { try rows.write(chunk) }
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
