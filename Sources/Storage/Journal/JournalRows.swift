import GRDB
import TimeSeries

/// The rows of `journal`, inside a transaction.
struct JournalRows {
    let db: Database

    static let endIsMissing = StorageError.damagedTable(name: "journal_end", reason: "it has no row")

    /// The highest position ever used; 0 before the first reading.
    func end() throws -> JournalPosition {
        let sql = """
            SELECT position, (SELECT seq + n - 1 FROM journal ORDER BY seq DESC LIMIT 1) AS kept FROM journal_end
            """
        guard let row = try Row.fetchOne(try db.cachedStatement(sql: sql)) else { throw Self.endIsMissing }
        let dropped: JournalPosition = try row.value("position", in: "journal_end")
        let end = max(dropped, try row.optional("kept", in: "journal") ?? 0)
        // 2^62: a million readings a second for more than a hundred thousand years.
        guard (0..<(1 << 62)).contains(end) else {
            throw StorageError.damagedTable(name: "journal_end", reason: "position \(end) was never reached")
        }
        return end
    }

    func insert(_ items: [JournalCodec.Item], at first: JournalPosition) throws {
        let bytes = JournalCodec.encode(items)
        let newest = items.reduce(Timestamp.distantPast) { $1.isRemoved ? $0 : max($0, $1.reading.timestamp) }
        let sql = "INSERT OR REPLACE INTO journal (seq, n, newest, crc32c, readings) VALUES (?, ?, ?, ?, ?)"
        try db.cachedStatement(sql: sql).execute(
            arguments: [
                first, items.count, newest.nanoseconds,
                Int64(CRC32C.checksum(of: [first, Int64(items.count), newest.nanoseconds], bytes)), Blob(bytes),
            ])
    }

    /// The rows from `position` on that hold something at least as new as `oldest`, until they add up to
    /// ``readingsPerFetch`` readings.
    func fetch(from position: JournalPosition, notOlderThan oldest: Timestamp) throws -> [Entry] {
        let sql = """
            SELECT seq, n, newest, crc32c, readings FROM journal WHERE seq + n > ? AND seq >= ? AND newest >= ?
            ORDER BY seq
            """
        // A row that begins before `position` may contain it; a row is never longer than one commit.
        let earliest = max(1, position - 70_000)
        let rows = try Row.fetchCursor(
            try db.cachedStatement(sql: sql), arguments: [position, earliest, oldest.nanoseconds])
        var (entries, count) = ([Entry](), 0)
        while count < Self.readingsPerFetch, let row = try rows.next() {
            entries.append(try Self.entry(row))
            count += entries.last?.items.count ?? 0
        }
        return entries
    }

    /// Rows hold from one to tens of thousands of readings. This many make a transaction worthwhile and take little
    /// memory.
    private static let readingsPerFetch = 32_768

    struct Entry {
        var first: JournalPosition
        var items: [JournalCodec.Item]
        var next: JournalPosition { first + JournalPosition(items.count) }
    }

    /// Checks at most `limit` rows from `position` on: their checksums, and that each begins where the previous one
    /// ended.
    ///
    /// - Parameters:
    ///   - position: where the first row is expected, or an earlier position.
    ///   - wholeFrom: from this position on there are no gaps.
    /// - Returns: the position after the last row, and how many readings the rows hold; nil if there are no rows.
    func check(
        from position: JournalPosition, wholeFrom: JournalPosition, limit: Int
    ) throws -> (next: JournalPosition, readings: Int)? {
        let sql = "SELECT seq, n, newest, crc32c, readings FROM journal WHERE seq >= ? ORDER BY seq LIMIT ?"
        let rows = try Row.fetchCursor(try db.cachedStatement(sql: sql), arguments: [position, limit])
        var (expected, readings) = (position, 0)
        while let row = try rows.next() {
            let checked = try Self.checked(row)
            guard checked.first == expected || checked.first <= wholeFrom else {
                throw StorageError.damagedJournal(
                    position: expected, reason: "the entries up to \(checked.first - 1) are missing")
            }
            let (next, overflow) = checked.first.addingReportingOverflow(JournalPosition(checked.count))
            guard checked.count > 0, !overflow else {
                throw StorageError.damagedJournal(position: checked.first, reason: "it holds \(checked.count) readings")
            }
            (expected, readings) = (next, readings + checked.count)
        }
        return readings == 0 ? nil : (expected, readings)
    }

    /// The position of the first row; nil if there is none.
    func first() throws -> JournalPosition? {
        try JournalPosition.fetchOne(db, sql: "SELECT seq FROM journal ORDER BY seq LIMIT 1")
    }

    /// The position of the first row, and its newest timestamp; nil if there is none.
    func firstRow() throws -> (position: JournalPosition, newest: Timestamp)? {
        guard let row = try Row.fetchOne(db, sql: "SELECT seq, newest FROM journal ORDER BY seq LIMIT 1") else {
            return nil
        }
        return (try row.value("seq", in: "journal"), Timestamp(nanoseconds: try row.value("newest", in: "journal")))
    }

    /// The position after which the first row is expected, and the one from which on there are no gaps.
    func bounds() throws -> (dropped: JournalPosition, wholeFrom: JournalPosition) {
        guard let row = try Row.fetchOne(db, sql: "SELECT position, whole_from FROM journal_end") else {
            throw Self.endIsMissing
        }
        return (try row.value("position", in: "journal_end"), try row.value("whole_from", in: "journal_end"))
    }

    private static func checked(_ row: Row) throws -> (first: JournalPosition, count: Int, bytes: [UInt8]) {
        let first: JournalPosition = row.value("seq") ?? 0
        guard let count = row.value("n", as: Int.self), let newest = row.value("newest", as: Int64.self),
            let checksum = row.value("crc32c", as: Int64.self), let bytes = row.value("readings", as: Blob.self)?.bytes,
            Int64(CRC32C.checksum(of: [first, Int64(count), newest], bytes)) == checksum
        else { throw StorageError.damagedJournal(position: first, reason: "its checksum is wrong") }
        return (first, count, bytes)
    }

    private static func entry(_ row: Row) throws -> Entry {
        let (first, count, bytes) = try checked(row)
        do {
            let items = try JournalCodec.decode(bytes)
            guard items.count == count else { throw StorageError.malformed("it holds another number of readings") }
            return Entry(first: first, items: items)
        } catch {
            throw StorageError.damagedJournal(position: first, reason: "\(error)")
        }
    }

    /// Replaces the readings of `series` with tombstones.
    func remove(_ series: Set<SeriesID>) throws {
        var position: JournalPosition = 1
        while true {
            let entries = try fetch(from: position, notOlderThan: .distantPast)
            for entry in entries where entry.items.contains(where: { series.contains($0.reading.series) }) {
                let remaining = entry.items.map { item in
                    series.contains(item.reading.series) ? JournalCodec.tombstone(for: item) : item
                }
                try insert(remaining, at: entry.first)
            }
            guard let last = entries.last else { return }
            position = last.next
        }
    }

    /// Drops rows from the front, up to the first that holds something at or after `limit` or after the position `end`.
    ///
    /// - Returns: how many readings were dropped.
    func drop(before limit: Timestamp, through end: JournalPosition) throws -> Int {
        try drop(
            where:
                "seq < COALESCE((SELECT seq FROM journal WHERE newest >= ? OR seq + n - 1 > ? ORDER BY seq LIMIT 1), ?)",
            [limit.nanoseconds, end, JournalPosition.max])
    }

    /// Drops at most `limit` rows from the front that lie entirely at or before `end`.
    ///
    /// - Returns: how many readings were dropped.
    func drop(through end: JournalPosition, limit: Int) throws -> Int {
        try drop(
            where: "seq IN (SELECT seq FROM journal WHERE seq + n - 1 <= ? ORDER BY seq LIMIT ?)", [end, limit])
    }

    /// Drops rows from the front only, so that no gaps arise; the table `journal_end` keeps the last position and the
    /// newest time.
    private func drop(where condition: String, _ arguments: StatementArguments) throws -> Int {
        let sums = """
            SELECT COALESCE(SUM(n), 0) AS readings, MAX(newest) AS newest, MAX(seq + n - 1) AS last FROM journal
            WHERE \(condition)
            """
        guard let row = try Row.fetchOne(db, sql: sums, arguments: arguments) else { return 0 }
        let readings: Int = try row.value("readings", in: "journal")
        guard readings > 0 else { return 0 }
        let newest: Int64? = try row.optional("newest", in: "journal")
        let last: JournalPosition = try row.value("last", in: "journal")
        try db.execute(sql: "DELETE FROM journal WHERE \(condition)", arguments: arguments)
        let end = "UPDATE journal_end SET position = MAX(position, ?), newest = MAX(newest, ?)"
        try db.execute(sql: end, arguments: [last, newest ?? .min])
        try CheckedTable.journalEnd.updateChecksums(db, where: "id = 1", [])
        return readings
    }
}
