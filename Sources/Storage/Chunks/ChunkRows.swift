import Basics
import GRDB
import TimeSeries

/// The rows of `chunk`, inside a transaction.
struct ChunkRows {
    let db: Database

    /// A chunk as stored in its row, not decoded.
    struct Stored: Sendable {
        var series: SeriesID
        var start: Int64
        /// `start` as stored, to continue after this row: in a damaged row it may not be an integer.
        var key: DatabaseValue
        var newest: Int64
        var checksum: Int64
        var data: [UInt8]

        /// - Throws: ``StorageError/malformed(_:)`` if any part of the row is damaged.
        func decoded() throws(StorageError) -> Chunk {
            guard isIntact || PlantedBug.damagedChunkRead.isActive else { throw .malformed("its checksum is wrong") }
            return try ChunkCodec.decode(data, series: series)
        }

        private var isIntact: Bool { checksum == CRC32C.checksum(of: [series.rawValue, start, newest], data) }

        /// Whether the chunk is left as it is when readings from `time` on are sealed.
        ///
        /// Rewriting large chunks for a few readings each time would dominate the cost of a seal; small ones are merged
        /// because they take more space.
        func isLargeAndBefore(_ time: Int64) -> Bool {
            newest < time && isIntact && ChunkCodec.count(of: data) >= Chunk.capacity / 4
        }
    }

    private static let columns = "series, start, newest, crc32c, data"

    static func stored(_ row: Row) -> Stored {
        // A value of the wrong type fails the checksum.
        Stored(
            series: SeriesID(row.value("series") ?? 0), start: row.value("start") ?? 0, key: row["start"],
            newest: row.value("newest") ?? 0, checksum: row.value("crc32c") ?? -1,
            data: row.value("data", as: Blob.self)?.bytes ?? [])
    }

    /// At most `limit` chunks of a series that begin after `start`, ascending, from the chunk that holds `oldest` on.
    func fetch(
        _ series: SeriesID, notOlderThan oldest: Timestamp, after start: DatabaseValue?, limit: Int
    ) throws -> [Stored] {
        let sql = """
            SELECT \(Self.columns) FROM chunk WHERE series = ?1 AND (?2 IS NULL OR start > ?2)
                AND start >= COALESCE((SELECT MAX(start) FROM chunk WHERE series = ?1 AND start <= ?3), ?3)
            ORDER BY start LIMIT ?4
            """
        let arguments: StatementArguments = [series.rawValue, start, oldest.nanoseconds, limit]
        return try db.rows(sql, arguments, Self.stored)
    }

    /// The chunk that a reading at `time` belongs in: the last one that begins at or before it, or else the first.
    ///
    /// - Returns: the chunk, and the start of the next one if there is one; nil if the series has no chunk.
    func fetch(_ series: SeriesID, holding time: Int64) throws -> (chunk: Stored, next: Int64?)? {
        let sql = """
            SELECT \(Self.columns), (SELECT start FROM chunk AS later WHERE later.series = ?1
                AND later.start > chunk.start ORDER BY start LIMIT 1) AS next
            FROM chunk WHERE series = ?1 AND start = COALESCE(
                (SELECT MAX(start) FROM chunk WHERE series = ?1 AND start <= ?2),
                (SELECT MIN(start) FROM chunk WHERE series = ?1))
            """
        let statement = try db.cachedStatement(sql: sql)
        guard let row = try Row.fetchOne(statement, arguments: [series.rawValue, time]) else { return nil }
        return (Self.stored(row), row.value("next"))
    }

    /// Stores a chunk, replacing one with the same start.
    func write(_ chunk: Stored) throws {
        // The series may have been deleted in the meantime.
        let sql = "INSERT OR REPLACE INTO chunk (\(Self.columns)) SELECT id, ?, ?, ?, ? FROM series WHERE id = ?"
        try db.cachedStatement(sql: sql).execute(
            arguments: [chunk.start, chunk.newest, chunk.checksum, Blob(chunk.data), chunk.series.rawValue])
    }

    func remove(_ series: SeriesID, at start: Int64) throws {
        let sql = "DELETE FROM chunk WHERE series = ? AND start = ?"
        try db.cachedStatement(sql: sql).execute(arguments: [series.rawValue, start])
    }

    /// Moves a damaged chunk to the table `quarantine`, unchanged.
    func quarantine(_ series: SeriesID, at start: Int64) throws {
        let sql = """
            INSERT OR REPLACE INTO quarantine (\(Self.columns))
                SELECT \(Self.columns) FROM chunk WHERE series = ? AND start = ?
            """
        try db.cachedStatement(sql: sql).execute(arguments: [series.rawValue, start])
        try remove(series, at: start)
    }

    /// The first and last timestamp of the oldest chunk of a series; nil without one.
    func oldest(of series: SeriesID) throws -> (start: Timestamp, newest: Timestamp)? {
        let sql = "SELECT start, newest FROM chunk WHERE series = ? ORDER BY start LIMIT 1"
        guard let row = try Row.fetchOne(try db.cachedStatement(sql: sql), arguments: [series.rawValue]),
            let start = row.value("start", as: Int64.self), let newest = row.value("newest", as: Int64.self)
        else { return nil }
        return (Timestamp(nanoseconds: start), Timestamp(nanoseconds: newest))
    }

    func count(of series: SeriesID) throws -> Int {
        let statement = try db.cachedStatement(sql: "SELECT COUNT(*) FROM chunk WHERE series = ?")
        return try Int.fetchOne(statement, arguments: [series.rawValue]) ?? 0
    }

    /// Drops the oldest chunks that hold nothing at or after `limit`: at most `count`, or all if nil.
    func drop(_ series: SeriesID, before limit: Timestamp, atMost count: Int?) throws {
        let sql = """
            DELETE FROM chunk WHERE series = ?1 AND start IN (
                SELECT start FROM chunk WHERE series = ?1 AND start < ?2 AND newest < ?2 ORDER BY start LIMIT ?3)
            """
        try db.cachedStatement(sql: sql).execute(arguments: [series.rawValue, limit.nanoseconds, count ?? -1])
    }
}

extension ChunkRows.Stored {
    /// Encodes a chunk for its row; nil if it is empty.
    init?(_ chunk: Chunk, of series: SeriesID) {
        guard let oldest = chunk.readings.first, let newest = chunk.readings.last else { return nil }
        self.series = series
        (start, self.newest) = (oldest.reading.timestamp.nanoseconds, newest.reading.timestamp.nanoseconds)
        key = start.databaseValue
        data = ChunkCodec.encode(chunk)
        checksum = Int64(CRC32C.checksum(of: [series.rawValue, start, self.newest], data))
    }
}
