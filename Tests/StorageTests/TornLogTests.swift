import Foundation
import Storage
import TestSupport
import Testing
import TimeSeries

/// The machine's disk, except that one file cannot be read from some place on.
private struct BrokenDisk: Disk {
    /// The path of the file.
    let broken: String
    let offset: Int

    private var machine: SystemDisk { SystemDisk() }

    func lock(database path: String) throws(StorageError) -> any DatabaseLock { try machine.lock(database: path) }

    func open(_ path: String) -> (any ReadableFile)? {
        guard let file = machine.open(path), path == broken else { return machine.open(path) }
        return BrokenFile(file, path, offset)
    }

    func openForWriting(_ path: String, isNew: Bool) -> (any WritableFile)? {
        machine.openForWriting(path, isNew: isNew)
    }

    func exists(_ path: String) -> Bool { machine.exists(path) }
    func identity(of path: String) -> FileIdentity? { machine.identity(of: path) }
    func resolved(_ path: String) -> String? { machine.resolved(path) }
    func copy(_ path: String, to target: String) throws(StorageError) { try machine.copy(path, to: target) }
    func move(_ path: String, to target: String) throws(StorageError) { try machine.move(path, to: target) }
    func sync(_ path: String) throws(StorageError) { try machine.sync(path) }
    func remove(_ path: String) { machine.remove(path) }
}

private final class BrokenFile: ReadableFile {
    private let file: any ReadableFile
    private let path: String
    private let limit: Int

    init(_ file: any ReadableFile, _ path: String, _ limit: Int) {
        (self.file, self.path, self.limit) = (file, path, limit)
    }

    var count: Int { file.count }

    func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        guard offset < limit else { throw StorageError.io(path: path, reason: "broken") }
        return try file.read(at: offset, count: count)
    }
}

@Suite("A log that was torn, or cannot be read")
struct TornLogTests {
    private static let headerSize = 32
    private static let frameHeaderSize = 24
    private static let pageSize = 4_096
    /// The number of readings that were acknowledged.
    private static let acknowledged = 100

    private func bytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path))) }

    private func readings(_ series: SeriesID, _ count: Int) -> [Reading] {
        (0..<count).map { reading(series, Int64($0), Double($0) * .pi) }
    }

    /// The files of a database as a kill leaves them, with everything acknowledged in the log.
    private func killed() throws -> (folder: TemporaryFolder, series: SeriesID) {
        let (live, folder) = (try TemporaryFolder(), try TemporaryFolder())
        let store = try Store(path: live.path("nilo.db"))
        let series = try newSeries(store, "a")
        _ = try store.write { try $0.appendJournal(readings(series, Self.acknowledged)) }
        for suffix in ["", "-wal", ".mark"] {
            try FileManager.default.copyItem(
                atPath: live.path("nilo.db" + suffix), toPath: folder.path("nilo.db" + suffix))
        }
        try store.close()
        return (folder, series)
    }

    /// Starts on the database in `folder`, and loses the power while a transaction of `count` readings is on its way.
    ///
    /// - Parameter isMarked: whether the mark of the last acknowledged commit, which is not synced, is still there.
    /// - Returns: a folder with what is left: of that transaction, all frames but the first have reached the disk.
    private func losePower(
        _ folder: TemporaryFolder, _ series: SeriesID, count: Int, isMarked: Bool
    ) throws -> TemporaryFolder {
        let (path, left) = (folder.path("nilo.db"), try TemporaryFolder())
        let store = try Store(path: path)
        #expect(try store.lastPosition() == JournalPosition(Self.acknowledged))
        let (mark, before) = (try bytes(path + ".mark"), try bytes(path + "-wal"))
        _ = try store.write { try $0.appendJournal(readings(series, count)) }
        var log = try bytes(path + "-wal")
        let unchanged = zip(before, log).prefix { $0 == $1 }.count
        let frameSize = Self.frameHeaderSize + Self.pageSize
        let frame = max(0, unchanged - Self.headerSize) / frameSize
        log[Self.headerSize + frame * frameSize + Self.frameHeaderSize + 1_000] ^= 1
        try FileManager.default.copyItem(atPath: path, toPath: left.path("nilo.db"))
        try Data(log).write(to: URL(filePath: left.path("nilo.db-wal")))
        if isMarked { try Data(mark).write(to: URL(filePath: left.path("nilo.db.mark"))) }
        try store.close()
        return left
    }

    @Test(
        "power losses that tear the log at one place again and again are not taken for damage",
        arguments: [true, false])
    func again(isMarked: Bool) throws {
        var (folder, series) = try killed()
        // Each transaction is shorter than the one before, whose end would remain behind it in the log.
        for count in [8_000, 4_000, 2_000, 500] {
            folder = try losePower(folder, series, count: count, isMarked: isMarked)
        }
        var store = try Store(path: folder.path("nilo.db"))
        #expect(try store.lastPosition() == JournalPosition(Self.acknowledged))
        series = try newSeries(store, "b")
        _ = try store.write { try $0.appendJournal(readings(series, 1)) }
        try store.close()
        store = try Store(path: folder.path("nilo.db"))
        #expect(store.journalReadings == Self.acknowledged + 1)
        try store.close()
    }

    @Test("a start on a torn log begins it anew, once everything acknowledged is in the database")
    func begunAnew() throws {
        let (folder, series) = try killed()
        let torn = try losePower(folder, series, count: 500, isMarked: true)
        #expect(try bytes(torn.path("nilo.db-wal")).count > Self.headerSize)
        let store = try Store(path: torn.path("nilo.db"))
        #expect(try bytes(torn.path("nilo.db-wal")).isEmpty)
        #expect(store.journalReadings == Self.acknowledged)
        try store.close()
    }

    @Test("a log, or a database, that cannot be read is an error of ours that names it, and both stay as they are")
    func unreadable() throws {
        // The header of the database, that of the log, the log's first frame, and a later one.
        for (suffix, offset) in [("", 0), ("-wal", 0), ("-wal", 32), ("-wal", 10_000)] {
            let path = try killed().folder.path("nilo.db")
            let (database, log) = (try bytes(path), try bytes(path + "-wal"))
            #expect(throws: StorageError.io(path: path + suffix, reason: "broken")) {
                _ = try Store(path: path, on: BrokenDisk(broken: path + suffix, offset: offset))
            }
            #expect(try bytes(path) == database)
            #expect(try bytes(path + "-wal") == log)
            // The lock is free again, and another try finds everything.
            let store = try Store(path: path)
            #expect(store.journalReadings == Self.acknowledged)
            try store.close()
        }
    }

    @Test("a mark that cannot be read is as good as none, and refuses no start")
    func unreadableMark() throws {
        let path = try killed().folder.path("nilo.db")
        let store = try Store(path: path, on: BrokenDisk(broken: path + ".mark", offset: 0))
        #expect(store.journalReadings == Self.acknowledged)
        try store.close()
    }
}
