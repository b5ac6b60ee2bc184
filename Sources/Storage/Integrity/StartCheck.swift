import GRDB
import TimeSeries

extension Store {
    /// Checks everything that must be intact before recovery uses it.
    ///
    /// These are the definitions of all tables, the structure of those that a start reads and, row by row, the journal
    /// and the tables that say how to replay it. docs/decisions/0009 says what is checked when.
    ///
    /// Recovery skips rows that it does not need, and would skip one whose newest timestamp is damaged.
    ///
    /// - Returns: the number of readings in the journal.
    /// - Throws: ``StorageError/damagedJournal(position:reason:)``, ``StorageError/damagedTable(name:reason:)``.
    func checkForStart() throws -> Int {
        try read { try SchemaShape.check($0) }
        // Not `quick_check`: it does not compare indexes with their tables, and some of these tables are read through
        // an index.
        for table in CheckedTable.allCases.map(\.rawValue) + ["journal", "checkpoint"] {
            let found = try read { try String.fetchAll($0, sql: "PRAGMA integrity_check('\(table)')") }
            if let reason = found.first(where: { $0 != "ok" }) {
                throw StorageError.damagedTable(name: table, reason: reason)
            }
        }
        for table: CheckedTable in [.series, .epoch, .champion, .outage, .journalEnd, .clock] {
            try read { try table.check($0) }
        }
        return try checkJournal()
    }

    private func checkJournal() throws -> Int {
        let (dropped, wholeFrom) = try read { try JournalRows(db: $0).bounds() }
        var next = dropped + 1
        if wholeFrom > next { next = try read { try JournalRows(db: $0).first() } ?? next }
        var readings = 0
        while let rows = try read({ try JournalRows(db: $0).check(from: next, wholeFrom: wholeFrom, limit: 512) }) {
            next = rows.next
            readings += rows.readings
        }
        return readings
    }
}
