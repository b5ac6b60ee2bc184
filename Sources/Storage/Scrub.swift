import GRDB
import TimeSeries

extension Store {
    /// Looks at every row's checksum and at SQLite's own structures, in slices, and says what is damaged and what to do.
    ///
    /// - Returns: one sentence for every damaged thing; none when all is well.
    public func scrub() throws -> [String] {
        var findings: [String] = []
        let structure = try read { try String.fetchAll($0, sql: "PRAGMA integrity_check(20)") }
        findings += structure.filter { $0 != "ok" }.map { "SQLite finds: \($0); restore a backup" }
        do {
            try scanJournal { _ in true }
        } catch let error as StorageError {
            findings.append("\(error)")
        }
        for damaged in try checkpoints().damaged {
            findings.append(
                "a checkpoint of series \(damaged.series.rawValue) is damaged; the one before serves, nothing to do")
        }
        for version in try modelVersions(of: nil) where (try? weights(of: version.id)) == nil {
            findings.append(
                "the weights of \(version.forecaster) version \(version.number) are damaged; promote another")
        }
        return try findings + scrubRows() + scrubChunks() + scrubScores()
    }

    /// What the database holds that is no damage, but that a person should know.
    ///
    /// Until version 2 of the chunks' format, a correction that came late was shown with the value before it as soon as its
    /// journal was sealed; it was kept, and counts again. Chunks that are sealed anew are not known any more.
    public func remarks() throws -> [String] {
        var counts: [SeriesID: Int] = [:]
        try eachRow(of: "chunk", by: ["series", "start"], slice: 64) { row in
            let stored = ChunkRows.stored(row)
            let count = (try? ChunkCodec.shadowedCorrections(in: stored.data, series: stored.series)) ?? 0
            if count > 0 { counts[stored.series, default: 0] += count }
        }
        let names = Dictionary(try series().map { ($0.id, "\($0.key)") }, uniquingKeysWith: { first, _ in first })
        return counts.sorted { $0.key < $1.key }.map { series, count in
            "\(names[series] ?? "series \(series.rawValue)"): \(count) late corrections were shown with the value before "
                + "them by an earlier version, in exports, training and warm-ups; they count again, nothing to do"
        }
    }

    private func scrubRows() throws -> [String] {
        var findings: [String] = []
        for table in CheckedTable.allCases where table != .modelVersion {
            do {
                try read { try table.check($0) }
            } catch let error as StorageError {
                // Training times steer nothing but when to train; the next training replaces the row.
                findings.append(
                    table == .schedule ? "training times are damaged; they are made anew, nothing to do" : "\(error)")
            }
        }
        return findings
    }

    /// Hands over the rows of a table, in slices and in the order of its key. Row by row, not series by series: a damaged
    /// number may name a series that there is not.
    private func eachRow(of table: String, by key: [String], slice: Int, _ body: (Row) -> Void) throws {
        var last: [DatabaseValue] = []
        let columns = key.joined(separator: ", ")
        while true {
            let condition = last.isEmpty ? "" : "WHERE (\(columns)) > (?, ?)"
            let sql = "SELECT * FROM \(table) \(condition) ORDER BY \(columns) LIMIT \(slice)"
            let rows = try read { try Row.fetchAll($0, sql: sql, arguments: StatementArguments(last)) }
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
                note(stored, "\(error)")
            }
        }
        let aside = try read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM quarantine") ?? 0 }
        let named = damagedChunks.sorted { ($0.series, $0.start) < ($1.series, $1.start) }.map { chunk in
            "a chunk of series \(chunk.series.rawValue) is damaged (\(chunk.reason)): its readings from "
                + "\(chunk.start.nanoseconds) to \(chunk.newest.nanoseconds) are left out; ingest them again or restore a backup"
        }
        return named + (aside > 0 ? ["\(aside) damaged chunks are kept aside in the table quarantine"] : [])
    }
}
