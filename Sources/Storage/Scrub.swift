import GRDB
import TimeSeries

extension Store {
    /// Looks at every row's checksum and at SQLite's own structures, in slices, and says what is damaged and what to do.
    ///
    /// - Returns: one sentence for every damaged thing; none when all is well.
    public func scrub() throws -> [String] {
        var findings: [String] = []
        let structure = try read { try String.fetchAll($0, sql: "PRAGMA quick_check(20)") }
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
        return try findings + scrubChunks()
    }

    /// - Returns: where the slice ended; nil at the end.
    private func scrubChunks(after series: Int64, _ start: Int64) throws -> (Int64, Int64)? {
        let rows = try read { try ChunkRows(db: $0).fetch(after: series, start, limit: 64) }
        for row in rows {
            do {
                _ = try row.decoded()
            } catch {
                note(row, "\(error)")
            }
        }
        return rows.last.map { ($0.series.rawValue, $0.start) }
    }

    private func scrubChunks() throws -> [String] {
        // Row by row, not series by series: a damaged number may name a series that there is not.
        var (series, start) = (Int64.min, Int64.min)
        while let last = try scrubChunks(after: series, start) { (series, start) = last }
        let aside = try read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM quarantine") ?? 0 }
        let named = damagedChunks.sorted { ($0.series, $0.start) < ($1.series, $1.start) }.map { chunk in
            "a chunk of series \(chunk.series.rawValue) is damaged (\(chunk.reason)): its readings from "
                + "\(chunk.start.nanoseconds) to \(chunk.newest.nanoseconds) are left out; ingest them again or restore a backup"
        }
        return named + (aside > 0 ? ["\(aside) damaged chunks are kept aside in the table quarantine"] : [])
    }
}
