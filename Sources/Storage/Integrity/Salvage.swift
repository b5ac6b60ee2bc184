public import TimeSeries

/// Rebuilds a database whose write-ahead log is damaged so that it can be opened, and keeps the damaged files.
///
/// A later frame often rewrites the page of a damaged one, so the log is first tried without the damaged frames. Only
/// if the result fails the checks is the log cut at the first damaged frame.
public struct Salvage {
    /// The result of a salvage.
    public struct Outcome: Sendable, Hashable {
        /// The newest journal position now.
        public var position: JournalPosition
        /// The position up to which readings were acknowledged; nil if not known.
        public var acknowledged: JournalPosition?
        /// The paths under which the damaged files are kept.
        public var kept: [String]
        /// Frames of the log that were left out.
        public var droppedFrames: Int
    }

    private let path: String

    private let disk: any Disk

    /// - Parameter path: the path of the database.
    public init(path: String) { self.init(path: path, on: SystemDisk()) }

    package init(path: String, on disk: any Disk) { (self.path, self.disk) = (path, disk) }

    /// Salvages the database.
    ///
    /// - Throws: ``StorageError`` if the database is in use, or damaged beyond its log.
    public func run() throws -> Outcome {
        let lock = try disk.lock(database: path)
        defer { lock.release() }
        let check = try FileCheck(path: path, on: disk)
        if Self.isUnfinished(path, on: disk) { return try accept(check, keeping: replace(), dropped: 0) }
        guard (disk.open(path)?.count ?? 0) > 0 else { throw StorageError.cutDatabase(path: path, bytes: 0) }
        guard
            let log = try WriteAheadLog(
                path: source, on: disk, fallbackPageSize: FileCheck.pageSize(of: path, on: disk)),
            let broken = log.firstBroken
        else {
            return try accept(check, keeping: [], dropped: 0)
        }
        let usable = log.frames.filter { $0.isIntact || $0.number > broken && isTrusted($0, in: log) }
        for frames in [usable, Array(log.frames.prefix(broken))] {
            do {
                try rebuild(log, frames)
            } catch {
                removeCopy()
                guard frames.count == broken else { continue }
                throw error
            }
            try disk.move(copy, to: Self.result(of: path))
            removeCopy()
            return try accept(check, keeping: replace(), dropped: log.frames.count - frames.count)
        }
        throw StorageError.damagedLog(path: path, frame: broken, commits: log.unreadCommits)
    }

    /// Whether a frame may be intact although its checksum cannot be verified: it follows a damaged frame, whose
    /// checksum it continues. The check of the rebuilt database decides.
    private func isTrusted(_ frame: WriteAheadLog.Frame, in log: WriteAheadLog) -> Bool {
        frame.number > 0 && !log.frames[frame.number - 1].isIntact && frame.page > 0
    }

    private var copy: String { path + ".salvage" }

    /// The log, or the copy of it that a start has kept.
    private var source: String {
        let torn = FileCheck.tornLog(of: path)
        return disk.exists(torn) ? torn : path + "-wal"
    }

    /// Makes a copy of the database with a log of only `frames`, and opens it, which runs SQLite's and the start's
    /// checks.
    private func rebuild(_ log: WriteAheadLog, _ frames: [WriteAheadLog.Frame]) throws {
        removeCopy()
        try disk.copy(path, to: copy)
        try log.write(frames, from: source, to: copy + "-wal", on: disk)
        try Store(path: copy, on: disk).close()
    }

    private func removeCopy() {
        for suffix in ["", "-wal", "-shm", ".lock", ".mark"] { disk.remove(copy + suffix) }
    }

    /// Where the new database is kept until the damaged files have been moved.
    private static func result(of path: String) -> String { path + ".salvaged" }

    /// Whether a salvage was interrupted between finishing its result and moving it into place.
    static func isUnfinished(_ path: String, on disk: any Disk) -> Bool { disk.exists(result(of: path)) }

    /// Moves the result to the path of the database, which is kept under another name.
    ///
    /// An interrupted move can be repeated: the database is moved last, so until then the same number is chosen.
    private func replace() throws -> [String] {
        var number = 1
        while disk.exists(path + ".damaged-\(number)") { number += 1 }
        var kept: [String] = []
        for suffix in ["-wal.torn", "-wal", ""] where disk.exists(path + suffix) {
            kept.insert(path + ".damaged-\(number)" + suffix, at: 0)
            try disk.move(path + suffix, to: path + ".damaged-\(number)" + suffix)
        }
        disk.remove(path + "-shm")
        try disk.move(Self.result(of: path), to: path)
        return kept
    }

    /// Accepts what is in the database as all that was acknowledged.
    private func accept(_ check: FileCheck, keeping kept: [String], dropped: Int) throws -> Outcome {
        disk.remove(CommitMark.path(of: path))
        do {
            let store = try Store(path: path, on: disk, lock: nil)
            let position = try store.lastPosition()
            try store.close()
            return Outcome(position: position, acknowledged: check.acknowledged, kept: kept, droppedFrames: dropped)
        } catch {
            // Later starts must still know what is missing.
            if let acknowledged = check.acknowledged { CommitMark(database: path, on: disk).record(acknowledged) }
            throw error
        }
    }
}

extension WriteAheadLog {
    /// Writes a log of `frames`, read from the one at `source`, with a continuous chain of checksums.
    ///
    /// - Throws: ``StorageError/io(path:reason:)``.
    func write(_ frames: [Frame], from source: String, to target: String, on disk: any Disk) throws {
        let failure = StorageError.io(path: target, reason: "cannot be written")
        guard let file = disk.open(source), let output = disk.openForWriting(target, isNew: true) else { throw failure }
        let (header, start) = newHeader(try file.read(at: 0, count: Self.headerSize))
        guard output.write(header, at: 0) else { throw failure }
        var (sum, end) = (start, header.count)
        let size = Self.frameHeaderSize + pageSize
        for frame in frames.prefix((frames.lastIndex(where: \.isCommit) ?? -1) + 1) {
            var bytes = try file.read(at: Self.headerSize + frame.number * size, count: size)
            guard bytes.count == size else { break }
            bytes.replaceSubrange(8..<16, with: header[16..<24])
            sum = sum.adding(bytes[0..<8]).adding(bytes[24...])
            bytes.replaceSubrange(16..<24, with: sum.bytes)
            guard output.write(bytes, at: end) else { throw failure }
            end += bytes.count
        }
    }

    /// A new log header, however damaged the old one is: little-endian checksums, this page size, and the old salt.
    private func newHeader(_ old: [UInt8]) -> (bytes: [UInt8], sum: LogChecksum) {
        func word(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
        var bytes = word(0x377F_0682) + word(3_007_000) + word(UInt32(pageSize))
        bytes += Array(old[12..<24])
        let sum = LogChecksum(isBigEndian: false).adding(bytes[...])
        return (bytes + sum.bytes, sum)
    }
}
