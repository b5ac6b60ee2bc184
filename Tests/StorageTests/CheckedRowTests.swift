import Foundation
import Storage
import TestSupport
import Testing
import TimeSeries

@Suite("What is not as it was written")
struct CheckedRowTests {
    private let folder: TemporaryFolder
    private var path: String { folder.path("nilo.db") }

    init() throws { folder = try TemporaryFolder() }

    @Test("damaged journal entries and weights are named")
    func damage() throws {
        var store = try Store(path: path)
        let a = try newSeries(store, "a")
        _ = try store.write { try $0.appendJournal([reading(a, 1, 1)]) }
        let version = try store.write {
            try $0.insertModelVersion(
                NewModelVersion(
                    forecaster: "house", method: "lstm", methodVersion: "1", parameters: "{}", parent: nil,
                    createdAt: .from(seconds: 1), windowStart: nil, windowEnd: nil, metrics: "{}", weights: [1, 2, 3]))
        }
        #expect(try store.weights(of: version.id) == [1, 2, 3])
        try store.close()
        for change in ["weights = x'010203FF'", "parameters = '{\"units\":1}', weights = x'010203'"] {
            try Sabotage(path).run("UPDATE model_version SET \(change)")
            store = try Store(path: path)
            #expect(throws: StorageError.damagedWeights(version: version.id)) { _ = try store.weights(of: version.id) }
            try store.close()
        }
        try Sabotage(path).run("UPDATE journal SET readings = x'0102'")
        #expect(throws: StorageError.damagedJournal(position: 1, reason: "its checksum is wrong")) {
            _ = try Store(path: path)
        }
    }

    @Test(
        "a changed row of a table that a start builds on is named, and nothing is built on it",
        arguments: [
            "series SET sealed = 7", "series SET key = 'b v'", "epoch SET from_slot = 3", "champion SET version = 2",
            "outage SET to_slot = 6", "journal_end SET position = 1",
        ])
    func changedRows(change: String) throws {
        try fill(path)
        try Sabotage(path).run("UPDATE \(change)")
        let table = String(change.prefix { $0 != " " })
        let refused = #expect(throws: StorageError.self) { _ = try Store(path: path) }
        #expect(refused?.description.contains("the table \(table) is damaged (a row is not as it was written") ?? false)
    }

    @Test("the history of models keeps its newest rows, leaves damaged ones out, and a scrub reports them")
    func modelEvents() throws {
        let store = try Store(path: path)
        func event(_ number: Int, of forecaster: String) -> ModelEvent {
            ModelEvent(
                forecaster: forecaster, at: .from(seconds: Int64(number)), kind: .change, version: number, series: 2,
                text: "change \(number)")
        }
        try store.write { transaction in
            try transaction.addModelEvent(event(0, of: "other"))
            for number in 0..<ModelEvent.kept + 5 { try transaction.addModelEvent(event(number, of: "house")) }
        }
        #expect(try store.modelEvents(of: "other", limit: 10) == [event(0, of: "other")])
        let all = try store.modelEvents(of: "house", limit: 10 * ModelEvent.kept)
        #expect(all == (5..<ModelEvent.kept + 5).map { event($0, of: "house") })
        #expect(try store.modelEvents(of: "house", limit: 2) == Array(all.suffix(2)))
        try store.close()
        try Sabotage(path).run("UPDATE model_event SET text = 'never' WHERE version = 1003")
        let again = try Store(path: path)
        #expect(try again.modelEvents(of: "house", limit: 3).map(\.version) == [1_001, 1_002, 1_004])
        #expect(try again.scrub().contains { $0.contains("the history of models has damaged rows") })
        try again.close()
    }

    @Test("rows from before there were checksums, and checkpoints that did not take turns, keep what they say")
    func olderRows() throws {
        try fill(path)
        try Sabotage(path).goBackToSchema5()
        let store = try Store(path: path)
        #expect(try store.outages().map(\.slots) == [2...5])
        #expect(try store.champions() == ["house": 1])
        #expect(try store.schedule()["house"]?.lastOutcome == "kept")
        #expect(try store.scrub().isEmpty)
        let a = SeriesID(1)
        #expect(try store.checkpoints().good[a]?.map(\.slot) == [3, 2])
        try store.write { try $0.saveCheckpoint(checkpoint(a, 1, 4)) }
        #expect(try store.checkpoints().good[a]?.map(\.slot) == [4, 3])
        try store.close()
        try Sabotage(path).run("UPDATE outage SET to_slot = 6")
        #expect(throws: StorageError.self) { _ = try Store(path: path) }
    }

    @Test("the scrub names damaged scores and training times; both are left out, and training again mends its times")
    func sideTables() throws {
        try fill(path)
        try Sabotage(path).run("UPDATE score SET end = end + 1; UPDATE schedule SET next_due = 0")
        let store = try Store(path: path)
        let findings = try store.scrub()
        #expect(findings.count == 2)
        #expect(findings.first?.hasPrefix("training times are damaged") ?? false)
        #expect(findings.last?.hasPrefix("the scores of series 1 at 0 are damaged") ?? false)
        #expect(try store.schedule().isEmpty)
        var scores = store.scores(of: [SeriesID(1)], in: .distantPast ... .distantFuture)
        #expect(try scores.next()?.isEmpty == true)
        try store.write { try $0.setSchedule(ScheduleRecord(forecaster: "house", lastOutcome: "kept")) }
        #expect(try store.scrub().count == 1)
        try store.close()
    }

    @Test("a value of another kind than its column's is refused with both their names, also while the database is open")
    func wrongKinds() throws {
        try fill(path)
        let store = try Store(path: path)
        try Sabotage(path).run("UPDATE epoch SET warm_up = 'x'; UPDATE champion SET version = x'01'")
        try Sabotage(path).run("UPDATE series SET lateness = 0.5; UPDATE journal_end SET position = 'x'")
        let kind = "where Int is expected"
        #expect(throws: StorageError.damagedTable(name: "epoch", reason: "warm_up is \"x\" \(kind)")) {
            _ = try store.currentEpochs()
        }
        #expect(throws: StorageError.damagedTable(name: "series", reason: "lateness is 0.5 \(kind)")) {
            _ = try store.series()
        }
        #expect(throws: StorageError.self) { _ = try store.champions() }
        #expect(throws: StorageError.self) { _ = try store.lastPosition() }
        #expect(throws: StorageError.self) { try store.write { _ = try $0.appendJournal([]) } }
        try store.close()
    }

    @Test("a newer schema and another program's database are refused")
    func schema() throws {
        try Store(path: path).close()
        try Sabotage(path).run("PRAGMA user_version = 99")
        #expect(throws: StorageError.newerSchema(path: path, found: 99, known: 9)) { _ = try Store(path: path) }
        let other = folder.path("other.db")
        try Sabotage(other).run("CREATE TABLE theirs (x)")
        #expect(throws: StorageError.notOurs(path: other)) { _ = try Store(path: other) }
    }

    @Test(
        "a definition that is not as the migrations made it is named, although SQLite finds nothing wrong",
        arguments: [
            ("journal", "seq      INTEGER PRIMARY", "seq      INTEGES PRIMARY"),
            ("checkpoint", "place   INTEGER", "place   INTEGES"),
            ("series", "cadence    INTEGER", "cadence    INTEGES"),
            ("epoch", "ON DELETE CASCADE", ""),
        ])
    func definitions(table: String, was: String, becomes: String) throws {
        try fill(path)
        try Sabotage(path).run(
            """
            PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET sql = REPLACE(sql, '\(was)', '\(becomes)') WHERE name = '\(table)';
            PRAGMA writable_schema = RESET;
            """)
        let refused = #expect(throws: StorageError.self) { _ = try Store(path: path) }
        #expect(
            refused?.description.contains("the table \(table) is damaged (its definition") ?? false, "\(refused as Any)"
        )
    }
}
