import Basics
import GRDB
import Synchronization
import TimeSeries

extension Store {
    /// Checks every row's checksum and SQLite's own structures, in slices.
    ///
    /// - Returns: one sentence per damaged item, with what to do; empty if nothing is damaged.
    public func scrub() throws -> [String] { try Scrub(self).run() }
}

/// One check of every row's checksum and of SQLite's own structures; it may take minutes and can be cancelled.
public final class Scrub: Sendable {
    private let store: Store
    private let isCancelled = Atomic(false)
    /// A separate connection for the check of the structures, so that interrupting it affects nothing else.
    private let structure = Locked<DatabaseQueue?>(nil)

    public init(_ store: Store) { self.store = store }

    /// Makes ``run()`` stop soon. May be called from any thread.
    public func cancel() {
        isCancelled.store(true, ordering: .relaxed)
        structure.withLock { $0 }?.interrupt()
    }

    private func check() throws {
        if isCancelled.load(ordering: .relaxed) { throw CancellationError() }
    }

    /// Runs the check.
    ///
    /// - Returns: one sentence per damaged item, with what to do; empty if nothing is damaged.
    /// - Throws: `CancellationError` if it was cancelled.
    public func run() throws -> [String] {
        var findings = try scrubStructure()
        do {
            try store.scanJournal { _ in
                try check()
                return true
            }
        } catch let error as StorageError {
            findings.append("\(error)")
        }
        for damaged in try store.checkpoints().damaged {
            findings.append(
                "a checkpoint of series \(damaged.series.rawValue) is damaged; the previous one is used, nothing to do")
        }
        for version in try store.modelVersions(of: nil) where (try? store.weights(of: version.id)) == nil {
            try check()
            findings.append(
                "the weights of \(version.forecaster) version \(version.number) are damaged; promote another")
        }
        return try findings + scrubRows() + scrubChunks() + scrubScores()
    }

    /// What an operator should know about the database, though it is not damage.
    ///
    /// Before version 2 of the chunk format, a late correction was replaced in every output by the earlier value once
    /// it was sealed. It was still stored, and counts again. Chunks that have been sealed again since are not
    /// recognised.
    ///
    /// - Throws: `CancellationError` if it was cancelled.
    public func remarks() throws -> [String] {
        var counts: [SeriesID: Int] = [:]
        try eachRow(of: "chunk", by: ["series", "start"], slice: 64) { row in
            let stored = ChunkRows.stored(row)
            let count = (try? ChunkCodec.shadowedCorrections(in: stored.data, series: stored.series)) ?? 0
            if count > 0 { counts[stored.series, default: 0] += count }
        }
        let names = Dictionary(keepingFirst: try store.series().map { ($0.id, "\($0.key)") })
        return counts.sorted { $0.key < $1.key }.map { series, count in
            "\(names[series] ?? "series \(series.rawValue)"): \(count) late corrections were shown with the value before "
                + "them by an earlier version, in exports, training and warm-ups; they count again, nothing to do"
        }
    }

    private func scrubStructure() throws -> [String] {
        try store.gate.enter()
        defer { store.gate.leave() }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        do {
            let queue = try DatabaseQueue(path: store.path, configuration: configuration)
            structure.withLock { $0 = queue }
            defer { structure.withLock { $0 = nil } }
            try check()
            let found = try queue.read { try String.fetchAll($0, sql: "PRAGMA integrity_check(20)") }
            return found.filter { $0 != "ok" }.map { "SQLite reports: \($0); restore a backup" }
        } catch let error as DatabaseError {
            try check()
            throw store.storageError(error)
        }
    }

    private func scrubRows() throws -> [String] {
        var findings: [String] = []
        for table in CheckedTable.allCases where table != .modelVersion {
            do {
                try store.read { try table.check($0) }
            } catch let error as StorageError {
                switch table {
                // Training times only decide when to train; the next training replaces the row.
                case .schedule: findings.append("training times are damaged; they will be reset, nothing to do")
                case .modelEvent:
                    findings.append("the history of models has damaged rows; they are left out, nothing to do")
                default: findings.append("\(error)")
                }
            }
        }
        return findings
    }

    /// Calls `body` with the rows of a table, read in slices in the order of its key.
    ///
    /// Not series by series: a damaged number may name a series that does not exist.
    private func eachRow(of table: String, by key: [String], slice: Int, _ body: (Row) -> Void) throws {
        var last: [DatabaseValue] = []
        let columns = key.joined(separator: ", ")
        while true {
            let condition = last.isEmpty ? "" : "WHERE (\(columns)) > (?, ?)"
            let sql = "SELECT * FROM \(table) \(condition) ORDER BY \(columns) LIMIT \(slice)"
            let rows = try store.read { try Row.fetchAll($0, sql: sql, arguments: StatementArguments(last)) }
            try check()
            rows.forEach(body)
            guard let row = rows.last else { return }
            last = key.map { row[$0] }
        }
    }

    private func scrubScores() throws -> [String] {
        var damaged: [String] = []
        try eachRow(of: "score", by: ["start", "series"], slice: 512) { row in
            if ScoreReader.scores(row, SeriesID(row.value("series") ?? 0)) == nil {
                damaged.append("series \(row["series"] as DatabaseValue) at \(row["start"] as DatabaseValue)")
            }
        }
        return damaged.map { "the scores of \($0) are damaged and left out of every table; nothing to do" }
    }

    private func scrubChunks() throws -> [String] {
        try eachRow(of: "chunk", by: ["series", "start"], slice: 64) { row in
            let stored = ChunkRows.stored(row)
            do {
                _ = try stored.decoded()
            } catch {
                store.recordDamage(stored, "\(error)")
            }
        }
        let aside = try store.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM quarantine") ?? 0 }
        let named = store.damagedChunks.sorted { ($0.series, $0.start) < ($1.series, $1.start) }.map { chunk in
            "a chunk of series \(chunk.series.rawValue) is damaged (\(chunk.reason)): its readings from "
                + "\(chunk.start.nanoseconds) to \(chunk.newest.nanoseconds) are left out; ingest them again or restore a backup"
        }
        return named + (aside > 0 ? ["\(aside) damaged chunks are kept in the table quarantine"] : [])
    }
}
