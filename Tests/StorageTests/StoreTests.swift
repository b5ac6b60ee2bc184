import Foundation
import Storage
import TestSupport
import Testing
import TimeSeries

@Suite("The database")
struct StoreTests {
    private let folder: TemporaryFolder
    private var path: String { folder.path("nilo.db") }

    init() throws { folder = try TemporaryFolder() }

    private func reading(_ series: SeriesID, _ second: Int64, _ value: Double) -> Reading {
        Reading(series: series, timestamp: .from(seconds: second), value: value, timeliness: .fresh)
    }

    private func newSeries(_ store: Store, _ name: String) throws -> SeriesID {
        try store.write {
            try $0.insertSeries(
                key: SeriesKey(measurement: name, field: "v"), aggregate: .mean, forecaster: nil,
                createdAt: .from(seconds: 1))
        }
    }

    private func journal(_ store: Store, from position: JournalPosition = 1) throws -> [JournalEntry] {
        var entries: [JournalEntry] = []
        try store.scanJournal(from: position) {
            entries.append($0)
            return true
        }
        return entries
    }

    @Test("the connection that writes syncs every commit and does not overwrite deleted content")
    func pragmas() throws {
        let store = try Store(path: path)
        #expect(try store.writerPragma("synchronous") == "2")
        #expect(try store.writerPragma("secure_delete") == "0")
        #expect(try store.writerPragma("journal_mode") == "wal")
        #expect(try store.writerPragma("auto_vacuum") == "2")
        try store.close()
    }

    @Test("checksums are those of RFC 3720, appendix B.4, and of nine digits, whatever the length")
    func checksums() {
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.checksum(Array(0..<32)) == 0x46DD_794E)
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
    }

    @Test("every reading has a position of its own, and every kind of double comes back to the bit")
    func roundTrip() throws {
        let store = try Store(path: path)
        let (a, b) = (try newSeries(store, "a"), try newSeries(store, "b"))
        let values = [
            0, -0.0, 0.1, .leastNonzeroMagnitude, -.leastNormalMagnitude, .greatestFiniteMagnitude, .pi, 1e300, -1,
        ]
        let readings = values.enumerated().map { index, value in
            Reading(
                series: index % 3 == 0 ? b : a, timestamp: Timestamp(nanoseconds: Int64(index) * -7_000_000_007),
                value: value, timeliness: index % 2 == 0 ? .fresh : .late)
        }
        #expect(try store.write { try $0.appendJournal(readings) } == 1)
        #expect(try store.write { try $0.appendJournal([readings[3]]) } == 10)
        let entries = try journal(store)
        #expect(entries.map(\.firstPosition) == [1, 10])
        #expect(entries.first?.readings == readings)
        #expect(entries.first?.readings.map(\.value.bitPattern) == values.map(\.bitPattern))
        #expect(try journal(store, from: 4).first?.firstPosition == 4)
        #expect(try store.lastPosition() == 10)
        try store.close()
    }

    @Test("forgetting series leaves the positions of all others, and dropped positions are never used again")
    func forget() throws {
        var store = try Store(path: path)
        let (a, b) = (try newSeries(store, "a"), try newSeries(store, "b"))
        _ = try store.write { try $0.appendJournal([reading(a, 1, 1), reading(b, 2, 2), reading(a, 3, 3)]) }
        _ = try store.write { try $0.appendJournal([reading(b, 4, 4)]) }
        try store.write { try $0.deleteSeries([b]) }
        let left = try journal(store)
        #expect(left.map(\.firstPosition) == [1, 3])
        #expect(left.flatMap(\.readings).map(\.value) == [1, 3])
        #expect(try store.write { try $0.deleteJournal(before: .from(seconds: 100), through: 4) } == 4)
        try store.close()
        store = try Store(path: path)
        #expect(try store.write { try $0.appendJournal([reading(a, 200, 5)]) } == 5)
        try store.close()
    }

    @Test("a transaction that throws leaves nothing behind")
    func undone() throws {
        let store = try Store(path: path)
        let a = try newSeries(store, "a")
        #expect(throws: CancellationError.self) {
            try store.write {
                _ = try $0.appendJournal([reading(a, 1, 1)])
                throw CancellationError()
            }
        }
        #expect(try journal(store).isEmpty)
        #expect(try store.lastPosition() == 0)
        try store.close()
    }

    @Test("a second opener is refused with the holder's pid")
    func lock() throws {
        let store = try Store(path: path)
        #expect(throws: StorageError.lockedBy(pid: getpid(), path: path)) { _ = try Store(path: path) }
        try store.close()
    }

    @Test("the two newest checkpoints of a series are kept; a damaged one is told and the one before is good")
    func checkpoints() throws {
        let store = try Store(path: path)
        let a = try newSeries(store, "a")
        for slot in 1...3 as ClosedRange<Slot> {
            let state: [Float] = [Float(slot), -0.0, .nan, .leastNonzeroMagnitude]
            let checkpoint = Checkpoint(
                series: a, epoch: 1, slot: slot, position: 10 * slot, frontier: slot + 5, kernel: "fma-1", state: state)
            try store.write { try $0.saveCheckpoint(checkpoint) }
        }
        let good = try store.checkpoints().good[a]
        #expect(good?.map(\.slot) == [3, 2])
        #expect(
            good?.first?.state.map(\.bitPattern) == [Float(3), -0.0, .nan, .leastNonzeroMagnitude].map(\.bitPattern))
        try store.close()
        try Sabotage(path).run("UPDATE checkpoint SET payload = zeroblob(LENGTH(payload)) WHERE slot = 3")
        let again = try Store(path: path)
        let found = try again.checkpoints()
        #expect(found.damaged.map(\.slot) == [3])
        #expect(found.good[a]?.map(\.slot) == [2])
        try again.close()
    }

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

    @Test("a newer schema and another program's database are refused")
    func schema() throws {
        try Store(path: path).close()
        try Sabotage(path).run("PRAGMA user_version = 99")
        #expect(throws: StorageError.newerSchema(path: path, found: 99, known: 5)) { _ = try Store(path: path) }
        let other = folder.path("other.db")
        try Sabotage(other).run("CREATE TABLE theirs (x)")
        #expect(throws: StorageError.notOurs(path: other)) { _ = try Store(path: other) }
    }

    @Test("a backup is a whole database")
    func backup() throws {
        let store = try Store(path: path)
        let a = try newSeries(store, "a")
        _ = try store.write { try $0.appendJournal((0..<5_000).map { reading(a, $0, Double($0)) }) }
        try store.backup(to: folder.path("copy.db")) { _ in }
        let copy = try Store(path: folder.path("copy.db"))
        #expect(try journal(copy) == journal(store))
        try copy.close()
        try store.close()
    }
}
