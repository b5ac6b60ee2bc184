import GRDB
import TimeSeries

extension Store {
    /// What has to be whole before anything is built on it: the journal, row by row, and the structure of the tables that a
    /// start reads. Chunks are looked at when they are read, and by ``scrub()``.
    ///
    /// Recovery passes over rows that it does not need, and would pass over one whose newest timestamp was damaged.
    ///
    /// - Throws: ``StorageError/damagedJournal(position:reason:)``, ``StorageError/damagedTable(name:reason:)``.
    func checkForStart() throws {
        for table in ["journal", "checkpoint", "model_version", "series", "epoch"] {
            let found = try read { try String.fetchAll($0, sql: "PRAGMA quick_check('\(table)')") }
            if let reason = found.first(where: { $0 != "ok" }) {
                throw StorageError.damagedTable(name: table, reason: reason)
            }
        }
        var next: JournalPosition = 0
        while true {
            let rows = try read { try JournalRows(db: $0).check(from: next, limit: 512) }
            guard let last = rows else { return }
            next = last + 1
        }
    }
}
