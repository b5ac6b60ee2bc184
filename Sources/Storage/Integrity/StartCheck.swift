import GRDB
import TimeSeries

extension Store {
    /// What has to be whole before anything is built on it: the definitions of all tables, the structure of those that a
    /// start reads, and row by row the journal and what says how to step over it. docs/decisions/0009 says what is looked
    /// at when.
    ///
    /// Recovery passes over rows that it does not need, and would pass over one whose newest timestamp was damaged.
    ///
    /// - Returns: how many readings the journal holds.
    /// - Throws: ``StorageError/damagedJournal(position:reason:)``, ``StorageError/damagedTable(name:reason:)``.
    func checkForStart() throws -> Int {
        try read { try SchemaShape.check($0) }
        // Not `quick_check`: it does not compare an index with its table, and some of these tables are read through one.
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
        let (dropped, whole) = try read { try JournalRows(db: $0).bounds() }
        var next = dropped + 1
        if whole > next { next = try read { try JournalRows(db: $0).first() } ?? next }
        var readings = 0
        while let rows = try read({ try JournalRows(db: $0).check(from: next, whole: whole, limit: 512) }) {
            next = rows.next
            readings += rows.readings
        }
        return readings
    }
}
