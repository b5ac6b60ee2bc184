import Basics
import GRDB
import TimeSeries

/// The database: one writer, many readers.
///
/// ``write(_:)`` must be called on one thread only; everything else may be called on any. A transaction is on disk when
/// ``write(_:)`` returns: `journal_mode = WAL` with `synchronous = FULL` syncs the log at every commit
/// (https://sqlite.org/pragma.html#pragma_synchronous).
public final class Store: Sendable {
    let path: String
    let pool: DatabasePool
    private let lock: (any DatabaseLock)?
    private let mark: CommitMark
    private let identities: FileIdentities
    let gate = ReadGate()
    /// The number of current readers of the journal; nothing may be dropped from it while there are any.
    let readers = Locked(0)
    let damage = Locked<Set<DamagedChunk>>([])
    private let journalCount = Locked(0)

    /// Opens the database at `path`, creates it if there is none, and brings its schema up to date.
    ///
    /// - Throws: ``StorageError`` if it is in use, written by a newer version, not ours, damaged, or not readable.
    public convenience init(path: String) throws { try self.init(path: path, on: SystemDisk()) }

    package convenience init(path: String, on disk: any Disk) throws {
        try self.init(path: path, on: disk, lock: try disk.lock(database: path))
    }

    /// - Parameter lock: nil if the caller holds the lock.
    init(path: String, on disk: any Disk, lock: (any DatabaseLock)?) throws {
        (self.path, self.lock) = (path, lock)
        let files = try FileCheck(path: path, on: disk)
        try files.run()
        files.keepTornLog()
        do {
            pool = try DatabasePool(path: path, configuration: Self.configuration)
            try Self.makeDurable(pool)
            try Migrations.run(pool, path: path)
            mark = CommitMark(database: path, on: disk)
            identities = try FileIdentities(database: path, on: disk)
            let count = try checkForStart()
            try files.confirm(try lastPosition())
            if files.isTorn { Place.tornLog.reached() }
            if !PlantedBug.unsyncedLogKept.isActive { try settleLog(files, on: disk) }
            journalCount.withLock { $0 = count }
        } catch let error as DatabaseError {
            guard error.resultCode != .SQLITE_FULL else { throw StorageError.diskFull(path: path) }
            throw StorageError.cannotOpen(path: path, reason: "\(error)")
        }
    }

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in
            db.add(function: CheckedTable.function)
            // Must be set before the first table is created. Not repeated for a database that has it: that would be a
            // write, which fails on a full disk.
            if !db.configuration.readonly, try Int.fetchOne(db, sql: "PRAGMA auto_vacuum") != 2 {
                try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
            }
            // In KiB. Readers visit each page once, and there may be several readers, so their caches are small.
            try db.execute(sql: "PRAGMA cache_size = \(db.configuration.readonly ? -4_096 : -65_536)")
            // Debian's SQLite overwrites deleted content with zeros by default, which doubles the amount written.
            try db.execute(sql: "PRAGMA secure_delete = OFF")
            try db.execute(sql: "PRAGMA foreign_keys = ON")
        }
        return configuration
    }

    /// GRDB sets `synchronous` to NORMAL when it opens a WAL database, so FULL is set afterwards, and checked.
    private static func makeDurable(_ pool: DatabasePool) throws {
        let level = PlantedBug.commitWithoutSync.isActive ? "1" : "2"
        let wanted = [("synchronous", level), ("secure_delete", "0"), ("journal_mode", "wal")]
        try pool.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA synchronous = \(level)")
            for (name, expected) in wanted {
                let found = try String.fetchOne(db, sql: "PRAGMA \(name)") ?? "nothing"
                guard found == expected else {
                    throw StorageError.pragma(name: name, expected: expected, found: found)
                }
            }
        }
    }

    /// Makes sure of the log that a crash has left.
    ///
    /// Its newest commits may never have been synced: a power failure must not take back what a start has shown. And what
    /// the crash has torn must be gone: after the next crash, the two could not be told apart from damage.
    private func settleLog(_ files: FileCheck, on disk: any Disk) throws {
        guard files.isTorn else {
            if files.hasLog { try disk.sync(path + "-wal") }
            return
        }
        do {
            try pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
            // The next start tries again.
        }
    }

    /// The value of a pragma on the writer connection.
    package func writerPragma(_ name: String) throws -> String? {
        try pool.writeWithoutTransaction { try String.fetchOne($0, sql: "PRAGMA \(name)") }
    }

    /// Runs `body` in one transaction, which is synced to disk when this returns, or rolled back when it throws.
    ///
    /// - Throws: ``StorageError/diskFull(path:)`` (nothing was changed; try again when there is space),
    ///   ``StorageError/moved(path:)`` (what was written is lost), ``StorageError/io(path:reason:)``, or what `body`
    ///   throws.
    public func write<T>(_ body: (WriteTransaction) throws -> T) throws -> T {
        do {
            let notes = WriteTransaction.Notes()
            let result = try pool.writeWithoutTransaction { db in
                var result: T?
                try db.inTransaction(.immediate) {
                    result = try body(WriteTransaction(db: db, notes: notes))
                    if notes.lastPosition != nil { Failpoint.commit.hit() }
                    if notes.promoted { Failpoint.promotion.hit() }
                    if notes.sealed { Failpoint.seal.hit() }
                    return .commit
                }
                return result
            }
            journalCount.withLock { $0 += notes.journalReadings }
            if let position = notes.lastPosition { mark.record(position) }
            if notes.lastPosition != nil { Failpoint.committed.hit() }
            try identities.check()
            guard let result else { throw StorageError.io(path: path, reason: "the transaction gave no result") }
            return result
        } catch let error as DatabaseError {
            throw storageError(error)
        }
    }

    /// Checks that the files of the database are still those that were opened.
    ///
    /// - Throws: ``StorageError/moved(path:)``, ``StorageError/closed``.
    public func checkFiles() throws {
        // Closing the database removes the log.
        try gate.enter()
        defer { gate.leave() }
        try identities.check()
    }

    /// Runs `body` in one transaction that changes nothing.
    func read<T>(_ body: (Database) throws -> T) throws -> T {
        try gate.enter()
        defer { gate.leave() }
        do {
            return try pool.read(body)
        } catch let error as DatabaseError {
            throw storageError(error)
        }
    }

    func storageError(_ error: DatabaseError) -> StorageError { Self.storageError(error, path: path) }

    private static func storageError(_ error: DatabaseError, path: String) -> StorageError {
        error.resultCode == .SQLITE_FULL ? .diskFull(path: path) : .io(path: path, reason: "\(error)")
    }

    /// Checkpoints the log into the database file, closes the database and releases the lock.
    public func close() throws {
        defer { lock?.release() }
        gate.close()
        do {
            try pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
            // The log still holds everything, and the next start reads it.
        }
        try pool.close()
    }

    /// Copies the database to `target` while it is in use, in steps, so that the writer never has to wait.
    ///
    /// - Parameter progress: called with the fraction done, 0…1.
    ///
    /// - Throws: ``StorageError/diskFull(path:)``, ``StorageError/io(path:reason:)``.
    public func backup(to target: String, progress: @escaping (Double) -> Void) throws {
        try gate.enter()
        defer { gate.leave() }
        do {
            let copy = try DatabaseQueue(path: target)
            try pool.backup(to: copy, pagesPerStep: 256) { step in
                try Task.checkCancellation()
                progress(step.totalPageCount == 0 ? 1 : Double(step.completedPageCount) / Double(step.totalPageCount))
            }
            try copy.close()
        } catch let error as DatabaseError {
            throw Self.storageError(error, path: target)
        }
    }

    /// The size of the database file, in bytes.
    public func fileBytes() throws -> Int {
        try read { db in
            let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
            let size = try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 0
            return pages * size
        }
    }

    /// The number of readings in the journal, including sealed ones that are not dropped yet.
    ///
    /// Counted when the database is opened, and updated by every transaction.
    public var journalReadings: Int { journalCount.withLock { $0 } }

    /// The number of chunks and the size of their data in bytes. Reads every chunk's row.
    public func chunkTotals() throws -> (count: Int, bytes: Int) {
        try read { db in
            let sql = "SELECT COUNT(*) AS count, COALESCE(SUM(LENGTH(data)), 0) AS bytes FROM chunk"
            let row = try Row.fetchOne(db, sql: sql)
            return (row?["count"] ?? 0, row?["bytes"] ?? 0)
        }
    }
}
