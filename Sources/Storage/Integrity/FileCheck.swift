import Basics
import TimeSeries

/// Checks the files of a database before SQLite opens them.
///
/// SQLite would take a damaged log for a torn one and a truncated database for a new one, and overwrite both.
struct FileCheck {
    let path: String
    let disk: any Disk
    /// The position up to which readings were acknowledged; nil if not known.
    let acknowledged: JournalPosition?
    let log: WriteAheadLog?

    /// The smallest page size of SQLite, and so the size of the smallest database.
    private static let smallestPage = 512

    /// - Throws: ``StorageError/io(path:reason:)``.
    init(path: String, on disk: any Disk) throws(StorageError) {
        (self.path, self.disk) = (path, disk)
        acknowledged = CommitMark.position(of: path, on: disk)
        log = try WriteAheadLog(
            path: path + "-wal", on: disk, fallbackPageSize: try Self.pageSize(of: path, on: disk))
    }

    /// The page size in the database's header, in bytes; nil without a valid one.
    static func pageSize(of path: String, on disk: any Disk) throws(StorageError) -> Int? {
        guard let bytes = try disk.open(path)?.read(at: 16, count: 2), bytes.count == 2 else { return nil }
        // https://sqlite.org/fileformat2.html: 1 means 65,536.
        let size = Int(bytes[0]) << 8 | Int(bytes[1])
        return size == 1 ? 65_536 : size >= smallestPage && size & (size - 1) == 0 ? size : nil
    }

    /// - Throws: ``StorageError/unfinishedSalvage(path:)``, ``StorageError/cutDatabase(path:bytes:)``,
    ///   ``StorageError/damagedLog(path:frame:commits:)``.
    func run() throws(StorageError) {
        guard !Salvage.isUnfinished(path, on: disk) else { throw .unfinishedSalvage(path: path) }
        let size = disk.open(path)?.count ?? 0
        if size < Self.smallestPage, !PlantedBug.cutDatabaseIsNew.isActive,
            size > 0 || (acknowledged ?? 0) > 0 || log?.frames.isEmpty == false
        {
            throw .cutDatabase(path: path, bytes: size)
        }
        guard let log, let broken = log.firstBroken, log.unreadCommits > maximumTorn,
            !PlantedBug.damagedLogTaken.isActive
        else { return }
        throw .damagedLog(path: path, frame: broken, commits: log.unreadCommits)
    }

    /// The number of commits that a crash may have torn: the last one and, at the very beginning of a log, the one
    /// before, which GRDB makes unsynced. If there is a mark, ``confirm(_:)`` detects the loss of an acknowledged one.
    private var maximumTorn: Int { acknowledged == nil ? 1 : 2 }

    /// Whether the process before left a log.
    var hasLog: Bool { log?.frames.isEmpty == false }

    /// Whether SQLite does not read the log to its end.
    var isTorn: Bool { log?.firstBroken != nil }

    /// Where a copy of a log that SQLite does not read to its end is kept.
    static func tornLog(of path: String) -> String { path + "-wal.torn" }

    /// Copies a log that SQLite does not read to its end: closing the database removes the log, and a salvage may need
    /// the rest.
    func keepTornLog() {
        guard isTorn else { return }
        disk.remove(Self.tornLog(of: path))
        try? disk.copy(path + "-wal", to: Self.tornLog(of: path))
    }

    /// Checks that everything acknowledged is in the database, and removes the copy of a torn log if so.
    ///
    /// - Parameter found: the newest position in the database.
    /// - Throws: ``StorageError/lostCommits(path:found:acknowledged:)``.
    func confirm(_ found: JournalPosition) throws(StorageError) {
        guard let acknowledged, found < acknowledged, !PlantedBug.damagedLogTaken.isActive else {
            disk.remove(Self.tornLog(of: path))
            return
        }
        throw .lostCommits(path: path, found: found, acknowledged: acknowledged)
    }
}
