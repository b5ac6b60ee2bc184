public import TimeSeries

/// Why the database refused.
public enum StorageError: Error, Equatable, CustomStringConvertible {
    case lockedBy(pid: Int32, path: String)
    case newerSchema(path: String, found: Int, known: Int)
    case notOurs(path: String)
    case cannotOpen(path: String, reason: String)
    case pragma(name: String, expected: String, found: String)
    case diskFull(path: String)
    /// A file of the database is not the one that was opened.
    case moved(path: String)
    case io(path: String, reason: String)
    case damagedJournal(position: JournalPosition, reason: String)
    case damagedTable(name: String, reason: String)
    case damagedWeights(version: Int64)
    case closed
    case malformed(String)

    public var description: String {
        switch self {
        case .lockedBy(let pid, let path):
            "\(path) is in use by \(pid > 0 ? "process \(pid)" : "another process"); stop it first, or choose another --state-dir"
        case .newerSchema(let path, let found, let known):
            "\(path) was written by a newer nilod (schema \(found), this one knows \(known)); install that version"
        case .notOurs(let path): "\(path) is an SQLite database of another program; choose another --state-dir"
        case .cannotOpen(let path, let reason): "cannot open \(path): \(reason)"
        case .pragma(let name, let expected, let found):
            "SQLite did not take PRAGMA \(name) = \(expected), it is \(found); this build of SQLite cannot be used"
        case .diskFull(let path): "no room left for \(path); free some space"
        case .moved(let path):
            "\(path) was removed, renamed or replaced while it was in use; put it back or restore a backup, then start again"
        case .io(let path, let reason): "\(path): \(reason)"
        case .damagedJournal(let position, let reason):
            "the journal entry at position \(position) is damaged (\(reason)); restore a backup"
        case .damagedTable(let name, let reason): "the table \(name) is damaged (\(reason)); restore a backup"
        case .damagedWeights(let version):
            "the weights of model version \(version) are damaged; promote another version"
        case .closed: "the database was closed"
        case .malformed(let reason): reason
        }
    }
}
