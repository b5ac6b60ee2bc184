import GRDB
public import TimeSeries

extension WriteTransaction {
    /// Stores the scores of a block, in place of what was known of it.
    public func saveScores(_ scores: SlotScores, of series: SeriesID, cadence: Cadence) throws {
        let payload = ScoreCodec.encode(scores)
        let start = cadence.start(of: scores.start).nanoseconds
        let end = cadence.start(of: scores.start + Int64(scores.slots)).nanoseconds
        // A series that was removed meanwhile has none.
        let sql =
            "INSERT OR REPLACE INTO score (series, start, end, crc32c, payload) SELECT id, ?, ?, ?, ? FROM series WHERE id = ?"
        try db.cachedStatement(sql: sql).execute(
            arguments: [
                start, end, Int64(CRC32C.checksum(of: [series.rawValue, start, end], payload)), Blob(payload),
                series.rawValue,
            ])
    }

    /// Drops the scores of `series` that end before `limit`, with one look through the oldest rows.
    public func dropScores(of series: [SeriesID], before limit: Timestamp) throws {
        let sql = "DELETE FROM score WHERE start < ?1 AND end < ?1 AND series IN (SELECT value FROM json_each(?2))"
        try db.cachedStatement(sql: sql).execute(arguments: [limit.nanoseconds, Self.list(series)])
    }

    /// Drops every score of `series`.
    func deleteScores(of series: Set<SeriesID>) throws {
        let sql = "DELETE FROM score WHERE series IN (SELECT value FROM json_each(?))"
        try db.cachedStatement(sql: sql).execute(arguments: [Self.list(series)])
    }

    private static func list(_ series: some Sequence<SeriesID>) -> String {
        "[" + series.map { "\($0.rawValue)" }.joined(separator: ",") + "]"
    }
}

extension Store {
    /// The scores of the blocks that touch `range`, ascending by time, with one look through the rows of that time; a row
    /// whose checksum or form is wrong is left out.
    public func scores(
        of wanted: Set<SeriesID>, in range: ClosedRange<Timestamp>
    ) throws -> [SeriesID: [(start: Timestamp, scores: SlotScores)]] {
        try read { db in
            let sql = "SELECT * FROM score WHERE start <= ? AND end > ? ORDER BY start"
            let rows = try Row.fetchCursor(
                db, sql: sql, arguments: [range.upperBound.nanoseconds, range.lowerBound.nanoseconds])
            var found: [SeriesID: [(Timestamp, SlotScores)]] = [:]
            while let row = try rows.next() {
                let series = SeriesID(row.value("series") ?? 0)
                guard wanted.contains(series), let (start, scores) = Self.scores(row, series) else { continue }
                found[series, default: []].append((start, scores))
            }
            return found
        }
    }

    /// nil if the checksum or the form is wrong.
    static func scores(_ row: Row, _ series: SeriesID) -> (Timestamp, SlotScores)? {
        guard let start = row.value("start", as: Int64.self), let end = row.value("end", as: Int64.self),
            let payload = row.value("payload", as: Blob.self)?.bytes,
            Int64(CRC32C.checksum(of: [series.rawValue, start, end], payload)) == row.value("crc32c", as: Int64.self),
            let scores = try? ScoreCodec.decode(payload)
        else { return nil }
        return (Timestamp(nanoseconds: start), scores)
    }
}
