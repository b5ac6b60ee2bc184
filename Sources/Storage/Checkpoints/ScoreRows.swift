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
    /// The scores of the blocks of `wanted` whose last slot begins in `range`.
    public func scores(of wanted: Set<SeriesID>, in range: ClosedRange<Timestamp>) -> ScoreReader {
        ScoreReader(store: self, wanted: wanted, range: range)
    }
}

/// Reads scores in slices, ascending by time, with one look through the rows of that time; a row whose checksum or form is
/// wrong is left out.
///
/// Between two slices nothing of the database is held: an open reader keeps the WAL from shrinking, and the scores of a
/// year of many series take seconds. What is committed meanwhile is seen where the reader has not been yet.
public struct ScoreReader {
    public typealias Block = (series: SeriesID, start: Timestamp, scores: SlotScores)

    fileprivate let store: Store
    fileprivate let wanted: Set<SeriesID>
    fileprivate let range: ClosedRange<Timestamp>
    /// The last row that was looked at; nil at the end.
    private var place: (start: Int64, series: Int64)? = (.min, .min)

    fileprivate init(store: Store, wanted: Set<SeriesID>, range: ClosedRange<Timestamp>) {
        (self.store, self.wanted, self.range) = (store, wanted, range)
    }

    /// How many rows and how long one slice is at most.
    static let rowLimit = 4_096
    private static let timeLimit = Duration.milliseconds(20)

    /// The blocks of the next slice, which may have none; nil at the end.
    public mutating func next() throws -> [Block]? {
        guard let after = place else { return nil }
        let (found, last) = try store.read { db in try slice(db, after: after) }
        place = last
        return found
    }

    private func slice(
        _ db: Database, after: (start: Int64, series: Int64)
    ) throws -> (blocks: [Block], last: (start: Int64, series: Int64)?) {
        // Rows that end before the range are looked at here and not passed over by SQLite, which would not stop in time.
        let sql = "SELECT * FROM score WHERE (start, series) > (?, ?) AND start <= ? ORDER BY start, series"
        let rows = try Row.fetchCursor(
            db, sql: sql, arguments: [after.start, after.series, range.upperBound.nanoseconds])
        let began = ContinuousClock.now
        var (blocks, count): ([Block], Int) = ([], 0)
        while let row = try rows.next() {
            let series = SeriesID(row.value("series") ?? 0)
            if wanted.contains(series), row.value("end") ?? Int64.min > range.lowerBound.nanoseconds,
                let (start, scores) = Self.scores(row, series), range.contains(Self.lastSlot(row, start, scores))
            {
                blocks.append((series, start, scores))
            }
            count += 1
            if count == Self.rowLimit || (count % 64 == 0 && ContinuousClock.now - began > Self.timeLimit) {
                // What is no number sorts behind all numbers.
                return (blocks, (row.value("start") ?? .max, row.value("series") ?? .max))
            }
        }
        return (blocks, nil)
    }

    /// When the last slot of a block begins.
    private static func lastSlot(_ row: Row, _ start: Timestamp, _ scores: SlotScores) -> Timestamp {
        let end = Timestamp(nanoseconds: row.value("end") ?? .max)
        return end.advanced(byNanoseconds: -end.nanoseconds(since: start) / Int64(max(1, scores.slots)))
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
