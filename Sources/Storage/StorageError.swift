public import TimeSeries

/// Why an operation on the database failed.
public enum StorageError: Error, Equatable, CustomStringConvertible {
    case lockedBy(pid: Int32, path: String)
    case newerSchema(path: String, found: Int, known: Int)
    case notOurs(path: String)
    case cannotOpen(path: String, reason: String)
    case pragma(name: String, expected: String, found: String)
    case diskFull(path: String)
    /// A file of the database is no longer the one that was opened.
    case moved(path: String)
    case io(path: String, reason: String)
    case damagedJournal(position: JournalPosition, reason: String)
    case damagedTable(name: String, reason: String)
    case damagedWeights(version: Int64)
    /// The weights were removed because nothing could return to the version.
    case prunedWeights(version: Int64)
    /// The write-ahead log holds acknowledged commits after a damaged frame.
    case damagedLog(path: String, frame: Int, commits: Int)
    /// The database ends before a position that was acknowledged.
    case lostCommits(path: String, found: JournalPosition, acknowledged: JournalPosition)
    /// The database file is missing or too short, though other files show that there was a database.
    case cutDatabase(path: String, bytes: Int)
    /// A salvage was interrupted while it moved files.
    case unfinishedSalvage(path: String)
    case closed
    case malformed(String)

    /// Whether there was no space; nothing was changed.
    package var isDiskFull: Bool { if case .diskFull = self { true } else { false } }

    /// Whether a transaction that failed with this error may have reached the disk in part.
    package var leavesDiskUnknown: Bool {
        switch self {
        case .io, .moved: true
        default: false
        }
    }

    public var description: String {
        switch self {
        case .lockedBy(let pid, let path):
            "\(path) is in use by \(pid > 0 ? "process \(pid)" : "another process"); stop it first, or choose another --state-dir"
        case .newerSchema(let path, let found, let known):
            "\(path) was written by a newer nilod (schema \(found), this one knows \(known)); install that version"
        case .notOurs(let path): "\(path) is an SQLite database of another program; choose another --state-dir"
        case .cannotOpen(let path, let reason): "cannot open \(path): \(reason)"
        case .pragma(let name, let expected, let found):
            "SQLite did not accept PRAGMA \(name) = \(expected), it is \(found); this build of SQLite cannot be used"
        case .diskFull(let path): "no space left for \(path); free some"
        case .moved(let path):
            "\(path) was removed, renamed or replaced while it was in use; put it back or restore a backup, then start again"
        case .io(let path, let reason): "\(path): \(reason)"
        case .damagedJournal(let position, let reason):
            "the journal entry at position \(position) is damaged (\(reason)); restore a backup"
        case .damagedTable(let name, let reason): "the table \(name) is damaged (\(reason)); restore a backup"
        case .damagedWeights(let version):
            "the weights of model version \(version) are damaged; promote another version"
        case .prunedWeights(let version):
            "the weights of model version \(version) were removed, since newer ones had taken its place (keep_versions); "
                + "promote another version"
        case .damagedLog(let path, let frame, let commits):
            "the write-ahead log \(path)-wal is damaged at frame \(frame), and \(commits) acknowledged commits lie at or "
                + "behind it; restore it from a copy, or run `nilod salvage` to keep what can be read"
        case .lostCommits(let path, let found, let acknowledged):
            "\(path) ends at journal position \(found), but readings up to \(acknowledged) were acknowledged: its "
                + "write-ahead log was cut or damaged; restore \(path)-wal from a copy, or run `nilod salvage` to go on "
                + "without those readings"
        case .cutDatabase(let path, let bytes):
            "\(path) has \(bytes) bytes, but it was a database: it was cut or removed; restore a backup, or remove "
                + "\(path), \(path)-wal and \(path).mark to start over"
        case .unfinishedSalvage(let path): "a salvage of \(path) was interrupted; run `nilod salvage` again"
        case .closed: "the database was closed"
        case .malformed(let reason): reason
        }
    }
}
