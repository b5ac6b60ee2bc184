import Basics
import GRDB
public import TimeSeries

/// The chunks that one series' journal readings were sealed into, ready to be written.
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
    /// Begins to turn the journal's readings up to `end` into chunks, without writing anything.
    ///
    /// Not for the writer thread. The results are written with ``WriteTransaction/seal(_:)``; until then the journal is
    /// authoritative.
    public func prepareSeal(through end: JournalPosition) throws -> SealPreparation {
        SealPreparation(store: self, tail: try journalTail(of: nil, through: end), end: end)
    }
}

/// The chunks of a seal, some series at a time.
public struct SealPreparation {
    /// The number of series whose chunks are read in one transaction: beginning a transaction costs more than reading a
    /// chunk.
    package static let seriesPerRead = 64

    private let store: Store
    private let tail: JournalTails
    private let end: JournalPosition
    private var rest: ArraySlice<SeriesID>

    fileprivate init(store: Store, tail: JournalTails, end: JournalPosition) {
        (self.store, self.tail, self.end, rest) = (store, tail, end, tail.series[...])
    }

    /// The chunks of the next series, at most ``seriesPerRead`` of them; nil at the end.
    public mutating func next() throws -> [SealedSeries]? {
        guard !rest.isEmpty else { return nil }
        let batch = rest.prefix(Self.seriesPerRead)
        rest = rest.dropFirst(batch.count)
        return try store.read { db in
            try batch.map { series in
                let choice = SealedChoice { try Self.epochPosition(of: series, db) }
                return try Self.seal(tail[series], of: series, through: end, choice, ChunkRows(db: db))
            }
        }
    }

    /// The journal position at which a series' newest epoch began; 0 without one.
    private static func epochPosition(of series: SeriesID, _ db: Database) throws -> JournalPosition {
        let sql = "SELECT position FROM epoch WHERE series = ? ORDER BY id DESC LIMIT 1"
        return try JournalPosition.fetchOne(try db.cachedStatement(sql: sql), arguments: [series.rawValue]) ?? 0
    }

    private static func seal(
        _ readings: [PositionedReading], of series: SeriesID, through end: JournalPosition, _ choice: SealedChoice,
        _ rows: ChunkRows
    ) throws -> SealedSeries {
        var sealed = SealedSeries(series: series, position: end)
        var rest = try choice.select(from: readings)[...]
        while let oldest = rest.first {
            let found = try rows.fetch(series, holding: oldest.time)
            // A damaged start may have any value.
            let next = found?.next.flatMap { $0 > oldest.time ? $0 : nil }
            let added = rest.prefix { reading in next.map { reading.time < $0 } ?? true }
            rest = rest.dropFirst(added.count)
            var existing: [PositionedReading] = []
            if let stored = found?.chunk, stored.isLargeAndBefore(oldest.time) { Place.chunkLeft.reached() }
            if let stored = found?.chunk, !stored.isLargeAndBefore(oldest.time) {
                Place.chunkExtended.reached()
                if let chunk = try? stored.decoded() {
                    existing = chunk.readings
                    sealed.replaced.append(stored.start)
                } else {
                    sealed.damaged.append(stored.start)
                }
            }
            let chunks = cut(try choice.select(from: existing + added))
            if chunks.count > 1 { Place.chunkSplit.reached() }
            sealed.chunks += chunks.compactMap { ChunkRows.Stored($0, of: series) }
        }
        return sealed
    }

    /// Cuts readings into chunks. Readings of one timestamp stay in one chunk, so that the chunks of a series do not
    /// overlap.
    private static func cut(_ readings: [PositionedReading]) -> [Chunk] {
        var chunks: [Chunk] = []
        var rest = readings[...]
        while !rest.isEmpty {
            var end = min(rest.startIndex + Chunk.capacity, rest.endIndex)
            while end < rest.endIndex, end > rest.startIndex + 1, rest[end - 1].time == rest[end].time { end -= 1 }
            let part = Array(rest[..<end])
            chunks.append(Chunk(readings: part, lastPosition: part.reduce(0) { max($0, $1.position) }))
            rest = rest[end...]
        }
        return chunks
    }
}

extension PositionedReading {
    /// In nanoseconds.
    fileprivate var time: Int64 { reading.timestamp.nanoseconds }
}

extension WriteTransaction {
    /// Writes the chunks of one series; from then on its readings up to that position no longer count in the journal.
    public func seal(_ sealed: SealedSeries) throws {
        let rows = ChunkRows(db: db)
        for start in sealed.damaged { try rows.quarantine(sealed.series, at: start) }
        let kept = Set(sealed.chunks.map(\.start))
        for start in sealed.replaced where !kept.contains(start) { try rows.remove(sealed.series, at: start) }
        for chunk in sealed.chunks { try rows.write(chunk) }
        let sql = "UPDATE series SET sealed = ? WHERE id = ?"
        try db.cachedStatement(sql: sql).execute(arguments: [sealed.position, sealed.series.rawValue])
        try CheckedTable.series.updateChecksums(db, where: "id = ?", [sealed.series.rawValue])
        notes.sealed = true
    }

    /// Drops at most `limit` rows of the journal that lie entirely at or before `end`, up to which everything must be
    /// sealed.
    ///
    /// - Returns: how many readings they held; 0 if there are no more.
    public func dropSealed(through end: JournalPosition, limit: Int) throws -> Int {
        let end = PlantedBug.sealDropsTooMuch.isActive ? .max : end
        let dropped = try JournalRows(db: db).drop(through: end, limit: limit)
        notes.journalReadings -= dropped
        return dropped
    }
}
