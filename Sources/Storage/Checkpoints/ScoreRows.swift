import GRDB
public import TimeSeries

extension WriteTransaction {
    /// Stores the scores of a block and replaces any stored before.
    public func saveScores(_ scores: SlotScores, of series: SeriesID, cadence: Cadence) throws {
        let payload = ScoreCodec.encode(scores)
        let start = cadence.start(of: scores.start).nanoseconds
        let end = cadence.start(of: scores.start + Int64(scores.slots)).nanoseconds
        // The series may have been deleted in the meantime.
        let sql =
            "INSERT OR REPLACE INTO score (series, start, end, crc32c, payload) SELECT id, ?, ?, ?, ? FROM series WHERE id = ?"
        try db.cachedStatement(sql: sql).execute(
            arguments: [
                start, end, Int64(CRC32C.checksum(of: [series.rawValue, start, end], payload)), Blob(payload),
                series.rawValue,
            ])
    }

    /// Drops the scores of `series` that end before `limit`, in one scan of the oldest rows.
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

/// Reads scores in slices, ascending by time, in one scan of the time range; rows with a wrong checksum or format are
/// skipped.
///
/// No transaction stays open between slices: an open reader keeps the WAL from shrinking, and reading the scores of
/// many series over a year takes seconds. Rows committed in the meantime are seen if they lie ahead of the reader.
public struct ScoreReader {
    /// The scores of one block of slots of a series; `start` is when its first slot begins.
    public typealias Block = (series: SeriesID, start: Timestamp, scores: SlotScores)

    fileprivate let store: Store
    fileprivate let wanted: Set<SeriesID>
    fileprivate let range: ClosedRange<Timestamp>
    /// The key of the last row read; nil at the end.
    private var cursor: (start: Int64, series: Int64)? = (.min, .min)

    fileprivate init(store: Store, wanted: Set<SeriesID>, range: ClosedRange<Timestamp>) {
        (self.store, self.wanted, self.range) = (store, wanted, range)
    }

    /// The most rows, and the longest time, of one slice.
    static let rowLimit = 4_096
    private static let timeLimit = Duration.milliseconds(20)

    /// The blocks of the next slice, possibly none; nil at the end.
    public mutating func next() throws -> [Block]? {
        guard let after = cursor else { return nil }
        let (blocks, last) = try store.read { db in try slice(db, after: after) }
        cursor = last
        return blocks
    }

    private func slice(
        _ db: Database, after: (start: Int64, series: Int64)
    ) throws -> (blocks: [Block], last: (start: Int64, series: Int64)?) {
        // Rows that end before the range are filtered here, not in SQL: SQLite would scan past all of them without a
        // time limit.
        let sql = "SELECT * FROM score WHERE (start, series) > (?, ?) AND start <= ? ORDER BY start, series"
        let rows = try Row.fetchCursor(
            db, sql: sql, arguments: [after.start, after.series, range.upperBound.nanoseconds])
        let started = ContinuousClock.now
        var (blocks, count): ([Block], Int) = ([], 0)
        while let row = try rows.next() {
            let series = SeriesID(row.value("series") ?? 0)
            if wanted.contains(series), row.value("end") ?? Int64.min > range.lowerBound.nanoseconds,
                let (start, scores) = Self.scores(row, series), range.contains(Self.lastSlot(row, start, scores))
            {
                blocks.append((series, start, scores))
            }
            count += 1
            if count == Self.rowLimit || (count % 64 == 0 && ContinuousClock.now - started > Self.timeLimit) {
                // In SQLite, values that are not numbers sort after all numbers.
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

    /// The start and the scores of a row; nil if its checksum or format is wrong.
    static func scores(_ row: Row, _ series: SeriesID) -> (Timestamp, SlotScores)? {
        guard let start = row.value("start", as: Int64.self), let end = row.value("end", as: Int64.self),
            let payload = row.value("payload", as: Blob.self)?.bytes,
            Int64(CRC32C.checksum(of: [series.rawValue, start, end], payload)) == row.value("crc32c", as: Int64.self),
            let scores = try? ScoreCodec.decode(payload)
        else { return nil }
        return (Timestamp(nanoseconds: start), scores)
    }
}
