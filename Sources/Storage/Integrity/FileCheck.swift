import Glibc
import TimeSeries

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What the files of a database say before SQLite opens them: it would take a damaged log for a torn one, and a cut database
/// for a new one, and write over both.
struct FileCheck {
    let path: String
    /// The position up to which readings were acknowledged; nil: not known.
    let acknowledged: JournalPosition?
    let log: WriteAheadLog?

    /// The shortest database has a page of this size.
    private static let smallestPage = 512

    init(path: String) {
        self.path = path
        acknowledged = CommitMark.position(of: path)
        log = WriteAheadLog(path: path + "-wal", fallbackPageSize: Self.pageSize(of: path))
    }

    /// The page size that the database's header says; nil without one.
    static func pageSize(of path: String) -> Int? {
        guard let bytes = FileBytes(path: path)?.read(at: 16, count: 2), bytes.count == 2 else { return nil }
        // https://sqlite.org/fileformat2.html: 1 means 65,536.
        let size = Int(bytes[0]) << 8 | Int(bytes[1])
        return size == 1 ? 65_536 : size >= smallestPage && size & (size - 1) == 0 ? size : nil
    }

    /// - Throws: ``StorageError/unfinishedSalvage(path:)``, ``StorageError/cutDatabase(path:bytes:)``,
    ///   ``StorageError/damagedLog(path:frame:commits:)``.
    func run() throws(StorageError) {
        guard !Salvage.isUnfinished(path) else { throw .unfinishedSalvage(path: path) }
        let size = FileBytes(path: path)?.count ?? 0
        if size < Self.smallestPage, size > 0 || (acknowledged ?? 0) > 0 || log?.frames.isEmpty == false {
            throw .cutDatabase(path: path, bytes: size)
        }
        guard let log, let broken = log.firstBroken, log.unreadCommits > tearable else { return }
        throw .damagedLog(path: path, frame: broken, commits: log.unreadCommits)
    }

    /// Commits that a crash may have torn: the last one, and at the very beginning of a log the one before, which GRDB makes
    /// unsynced. Where the mark counts what was acknowledged, ``confirm(_:)`` sees the loss of any.
    private var tearable: Int { acknowledged == nil ? 1 : 2 }

    /// Where a log is kept that SQLite does not read to its end.
    static func tornLog(of path: String) -> String { path + "-wal.torn" }

    /// Keeps a log that SQLite does not read to its end: closing the database removes the log itself, and a salvage may want
    /// what lies behind.
    func keepTornLog() {
        guard log?.firstBroken != nil else { return }
        unlink(Self.tornLog(of: path))
        try? FileManager.default.copyItem(atPath: path + "-wal", toPath: Self.tornLog(of: path))
    }

    /// Looks whether all that was acknowledged is there; a torn log is of no use then.
    ///
    /// - Parameter found: the newest position in the database.
    /// - Throws: ``StorageError/lostCommits(path:found:acknowledged:)``.
    func confirm(_ found: JournalPosition) throws(StorageError) {
        guard let acknowledged, found < acknowledged else {
            unlink(Self.tornLog(of: path))
            return
        }
        throw .lostCommits(path: path, found: found, acknowledged: acknowledged)
    }
}
