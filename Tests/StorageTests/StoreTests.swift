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

    @Test(
        "readings of many series at one time take five bytes with few decimals, else three more than a double"
    )
    func journalSize() throws {
        let store = try Store(path: path)
        let all = try (0..<100).map { try newSeries(store, "s\($0)") }
        let rows: [[Double]] = [
            all.indices.map { 20 + Double($0) / 10 }, all.indices.map { Double($0) * .pi },
        ]
        for values in rows {
            let readings = zip(all, values).map { reading($0, 1_750_000_000, $1) }
            _ = try store.write { try $0.appendJournal(readings) }
        }
        #expect(try journal(store).map { $0.readings.map(\.value) } == rows)
        try store.close()
        let sizes = try Sabotage(path).numbers("SELECT LENGTH(readings) FROM journal ORDER BY seq")
        #expect(sizes.count == 2)
        #expect(sizes[0] <= 500)
        #expect(sizes[1] <= 1_100)
    }

    @Test("journal rows as earlier versions wrote them are read")
    func formerJournal() throws {
        let store = try Store(path: path)
        let id = try newSeries(store, "a")
        try store.close()
        // Two series numbers, three readings: 1.5 fresh at 10 ns, the place of a removed one, −2 late at 7 ns.
        let blob: [UInt8] = [
            2, 2, UInt8(2 * id.rawValue), UInt8(2 * id.rawValue + 2), 3, 0, 20, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F,
            5, 19, 2, 5, 0, 0, 0, 0, 0, 0, 0, 0xC0,
        ]
        let head = [1, 3, 10].flatMap { number in
            withUnsafeBytes(of: Int64(number).littleEndian) { Array($0) }
        }
        let hex = blob.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        try Sabotage(path).run(
            """
            INSERT INTO journal (seq, n, newest, crc32c, readings)
                VALUES (1, 3, 10, \(CRC32C.checksum(head + blob)), x'\(hex)')
            """
        )
        let again = try Store(path: path)
        let readings = try again.readings(of: [id: .distantPast])[id] ?? []
        #expect(readings.map(\.position) == [1, 3])
        #expect(readings.map(\.reading.value) == [1.5, -2])
        #expect(readings.map(\.reading.timestamp.nanoseconds) == [10, 7])
        #expect(readings.map(\.reading.timeliness) == [.fresh, .late])
        try again.close()
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
        for slot in 1...3 as ClosedRange<Slot> { try store.write { try $0.saveCheckpoint(checkpoint(a, 1, slot)) } }
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

    @Test("the count of the journal's readings is what its rows hold, whatever was added, dropped, forgotten or undone")
    func journalCount() throws {
        var store = try Store(path: path)
        let (a, b) = (try newSeries(store, "a"), try newSeries(store, "b"))
        func same(_ comment: Comment) throws {
            #expect(
                try [store.journalReadings] == Sabotage(path).numbers("SELECT COALESCE(SUM(n), 0) FROM journal"),
                comment)
        }
        for second in 0..<40 as Range<Int64> {
            let some = (0..<1 + second % 5).map { reading($0 % 2 == 0 ? a : b, 10 * second + $0, 1) }
            _ = try store.write { try $0.appendJournal(some) }
        }
        try same("added")
        #expect(store.journalReadings == 120)
        #expect(throws: CancellationError.self) {
            try store.write {
                _ = try $0.appendJournal([reading(a, 500, 1)])
                _ = try $0.deleteJournal(before: .from(seconds: 50), through: 100)
                throw CancellationError()
            }
        }
        try same("undone")
        #expect(try store.write { try $0.deleteJournal(before: .from(seconds: 100), through: 1_000) } > 0)
        try same("expired")
        try store.write { try $0.deleteSeries([b]) }
        try same("forgotten")
        let end = try store.lastPosition()
        var preparation = try store.prepareSeal(through: end)
        while let batch = try preparation.next() {
            for sealed in batch { try store.write { try $0.seal(sealed) } }
        }
        #expect(try store.write { try $0.dropSealed(through: end, limit: 7) } > 0)
        try same("sealed")
        try store.close()
        store = try Store(path: path)
        try same("opened again")
        #expect(store.journalReadings > 0)
        try store.close()
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
