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

    private func scrubChunks() throws -> [String] {
        for record in try series() {
            var cursor = chunks(of: record.id, notOlderThan: .distantPast)
            while try cursor.next() != nil {}
        }
        let aside = try read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM quarantine") ?? 0 }
        let named = damagedChunks.sorted { ($0.series, $0.start) < ($1.series, $1.start) }.map { chunk in
            "a chunk of series \(chunk.series.rawValue) is damaged (\(chunk.reason)): its readings from "
                + "\(chunk.start.nanoseconds) to \(chunk.newest.nanoseconds) are left out; ingest them again or restore a backup"
        }
        return named + (aside > 0 ? ["\(aside) damaged chunks are kept aside in the table quarantine"] : [])
    }
}
