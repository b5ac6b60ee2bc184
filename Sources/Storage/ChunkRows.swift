import GRDB
import TimeSeries

/// The rows of `chunk`, inside a transaction.
struct ChunkRows {
    let db: Database

    /// A chunk as its row has it, not yet looked into.
    struct Stored {
        var series: SeriesID
        var start: Int64
        /// `start` as the row has it, to go on behind it: of a damaged row it may be no whole number.
        var key: DatabaseValue
        var newest: Int64
        var checksum: Int64
        var data: [UInt8]

        /// - Throws: ``StorageError/malformed(_:)`` when anything of the row is not as it was written.
        func decoded() throws(StorageError) -> Chunk {
            guard checksum == CRC32C.checksum(of: [series.rawValue, start, newest], data) else {
                throw .malformed("its checksum is wrong")
            }
            return try ChunkCodec.decode(data, series: series)
        }
    }

    private static let columns = "series, start, newest, crc32c, data"

    static func stored(_ row: Row) -> Stored {
        // What is of another kind than it was fails the checksum.
        Stored(
            series: SeriesID(row.value("series") ?? 0), start: row.value("start") ?? 0, key: row["start"],
            newest: row.value("newest") ?? 0, checksum: row.value("crc32c") ?? -1,
            data: row.value("data", as: Blob.self)?.bytes ?? [])
    }

    /// The chunks of a series from the one that holds `oldest` on, ascending, at most `limit` after `start`.
    func fetch(
        _ series: SeriesID, notOlderThan oldest: Timestamp, after start: DatabaseValue?, limit: Int
    ) throws -> [Stored] {
        let sql = """
            SELECT \(Self.columns) FROM chunk WHERE series = ?1 AND (?2 IS NULL OR start > ?2)
                AND start >= COALESCE((SELECT MAX(start) FROM chunk WHERE series = ?1 AND start <= ?3), ?3)
            ORDER BY start LIMIT ?4
            """
        let arguments: StatementArguments = [series.rawValue, start, oldest.nanoseconds, limit]
        return try Row.fetchAll(try db.cachedStatement(sql: sql), arguments: arguments).map(Self.stored)
    }

    /// Where the chunks of a series begin, ascending.
    func starts(_ series: SeriesID) throws -> [Int64] {
        let statement = try db.cachedStatement(sql: "SELECT start FROM chunk WHERE series = ? ORDER BY start")
        return try Int64.fetchAll(statement, arguments: [series.rawValue])
    }

    func fetch(_ series: SeriesID, at start: Int64) throws -> Stored? {
        let sql = "SELECT \(Self.columns) FROM chunk WHERE series = ? AND start = ?"
        let statement = try db.cachedStatement(sql: sql)
        return try Row.fetchOne(statement, arguments: [series.rawValue, start]).map(Self.stored)
    }

    func insert(_ chunk: Chunk, of series: SeriesID) throws {
        guard let start = chunk.readings.first?.reading.timestamp.nanoseconds,
            let newest = chunk.readings.last?.reading.timestamp.nanoseconds
        else { return }
        let data = ChunkCodec.encode(chunk)
        let checksum = CRC32C.checksum(of: [series.rawValue, start, newest], data)
        let sql = "INSERT INTO chunk (\(Self.columns)) SELECT id, ?, ?, ?, ? FROM series WHERE id = ?"
        try db.cachedStatement(sql: sql).execute(
            arguments: [start, newest, Int64(checksum), Blob(data), series.rawValue])
    }

    func remove(_ series: SeriesID, at start: Int64) throws {
        let sql = "DELETE FROM chunk WHERE series = ? AND start = ?"
        try db.cachedStatement(sql: sql).execute(arguments: [series.rawValue, start])
    }

    /// Puts a damaged chunk aside, as it was found.
    func quarantine(_ series: SeriesID, at start: Int64) throws {
        let sql = """
            INSERT OR REPLACE INTO quarantine (\(Self.columns))
                SELECT \(Self.columns) FROM chunk WHERE series = ? AND start = ?
            """
        try db.cachedStatement(sql: sql).execute(arguments: [series.rawValue, start])
        try remove(series, at: start)
    }

    /// Drops the chunks that hold nothing newer than `limit`.
    func drop(_ series: SeriesID, before limit: Timestamp) throws {
        let sql = "DELETE FROM chunk WHERE series = ?1 AND start < ?2 AND newest < ?2"
        try db.cachedStatement(sql: sql).execute(arguments: [series.rawValue, limit.nanoseconds])
    }
}
