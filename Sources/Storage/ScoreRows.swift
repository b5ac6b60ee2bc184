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

    /// Drops the scores of a series that end before `limit`.
    public func dropScores(of series: SeriesID, before limit: Timestamp) throws {
        try db.cachedStatement(sql: "DELETE FROM score WHERE start < ? AND end < ? AND series = ?")
            .execute(arguments: [limit.nanoseconds, limit.nanoseconds, series.rawValue])
    }
}

extension Store {
    /// The scores of the blocks that touch `range`, ascending; a row whose checksum is wrong is left out.
    public func scores(of series: SeriesID, in range: ClosedRange<Timestamp>) throws -> [(start: Timestamp, SlotScores)]
    {
        try read { db in
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT start, end, crc32c, payload FROM score
                        WHERE series = ? AND start <= ? AND end > ? ORDER BY start
                    """,
                arguments: [series.rawValue, range.upperBound.nanoseconds, range.lowerBound.nanoseconds])
            var found: [(Timestamp, SlotScores)] = []
            while let row = try rows.next() {
                let (start, end): (Int64, Int64) = (row[0], row[1])
                let payload: [UInt8] = (row[3] as Blob).bytes
                guard
                    CRC32C.checksum(of: [series.rawValue, start, end], payload)
                        == UInt32(truncatingIfNeeded: row[2] as Int64),
                    let scores = try? ScoreCodec.decode(payload)
                else { continue }
                found.append((Timestamp(nanoseconds: start), scores))
            }
            return found
        }
    }
}
