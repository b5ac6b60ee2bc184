import ControlInterface
import Foundation
import Glibc
import Storage
import TestSupport
import Testing
import TimeSeries

/// The files of a store that was killed with commits in its log, and what it had acknowledged.
private struct Killed {
    let folder: TemporaryFolder
    let path: String
    let acknowledged: JournalPosition
    let log: [UInt8]

    static let pageSize = 4_096
    static let frameSize = pageSize + 24

    init() throws {
        folder = try TemporaryFolder()
        let source = folder.path("live.db")
        let store = try Store(path: source)
        let series = try store.write {
            try $0.insertSeries(
                key: SeriesKey(measurement: "a", field: "v"), aggregate: .mean, forecaster: nil,
                createdAt: .from(seconds: 1))
        }
        var position: JournalPosition = 0
        for commit in 0..<24 as Range<Int64> {
            let readings = (0..<120).map { index in
                Reading(
                    series: series, timestamp: .from(seconds: commit * 120 + index), value: Double(index) * .pi,
                    timeliness: .fresh)
            }
            position = try store.write { try $0.appendJournal(readings) } + 119
        }
        acknowledged = position
        path = folder.path("nilo.db")
        // What a kill leaves: the files as they are while the store is open.
        for suffix in ["", "-wal", ".mark"] {
            try FileManager.default.copyItem(atPath: source + suffix, toPath: path + suffix)
        }
        try store.close()
        log = [UInt8](try Data(contentsOf: URL(filePath: path + "-wal")))
    }

    var frames: Int { (log.count - 32) / Self.frameSize }

    /// Where a frame begins.
    func offset(of frame: Int) -> Int { 32 + frame * Self.frameSize }

    /// A copy of the files with another log.
    func copy(log: [UInt8]?, mark: Bool = true) throws -> TemporaryFolder {
        let copy = try TemporaryFolder()
        for suffix in [""] + (mark ? [".mark"] : []) {
            try FileManager.default.copyItem(atPath: path + suffix, toPath: copy.path("nilo.db" + suffix))
        }
        if let log { try Data(log).write(to: URL(filePath: copy.path("nilo.db-wal"))) }
        return copy
    }
}

@Suite("Promise 9: a log or a database that was damaged at rest is told apart from one that a crash has torn")
struct LogDamageTests {
    private func error(_ folder: TemporaryFolder) -> StorageError? {
        do {
            try Store(path: folder.path("nilo.db")).close()
            return nil
        } catch { return error as? StorageError }
    }

    private func position(_ folder: TemporaryFolder) throws -> JournalPosition {
        let store = try Store(path: folder.path("nilo.db"))
        defer { try? store.close() }
        return try store.lastPosition()
    }

    @Test("an undamaged log, and one with a torn transaction behind its last commit, are gone on from")
    func whole() throws {
        let killed = try Killed()
        #expect(try position(killed.copy(log: killed.log)) == killed.acknowledged)
        // A transaction that was on its way: frames without a commit, or with a sum that is wrong.
        let last = Array(killed.log[killed.offset(of: killed.frames - 1)...].prefix(Killed.frameSize))
        var torn = last
        torn[100] ^= 1
        for tail in [torn, Array(last.prefix(700)), [UInt8](repeating: 0, count: 5_000)] {
            #expect(try position(killed.copy(log: killed.log + tail)) == killed.acknowledged)
            #expect(try position(killed.copy(log: killed.log + tail, mark: false)) == killed.acknowledged)
        }
    }

    @Test("a bit that is flipped anywhere in the log is named, and the files stay as they are")
    func flipped() throws {
        let killed = try Killed()
        for offset in stride(from: 3, to: killed.log.count, by: killed.log.count / 120) {
            var log = killed.log
            log[offset] ^= 1 << UInt8(offset % 8)
            let copy = try killed.copy(log: log)
            guard let found = error(copy) else {
                // A page that a later frame writes again may be lost without loss; nothing else may.
                #expect(try position(copy) == killed.acknowledged, "byte \(offset)")
                continue
            }
            switch found {
            case .damagedLog(_, _, let commits):
                #expect(commits > 0)
                #expect([UInt8](try Data(contentsOf: URL(filePath: copy.path("nilo.db-wal")))) == log)
            case .lostCommits(_, let position, let acknowledged):
                #expect(position < acknowledged && acknowledged == killed.acknowledged)
                // What SQLite does not read is still there for a salvage.
                #expect([UInt8](try Data(contentsOf: URL(filePath: copy.path("nilo.db-wal.torn")))) == log)
                #expect(try Salvage(path: copy.path("nilo.db")).run().position >= position)
            default: Issue.record("byte \(offset): \(found)")
            }
        }
    }

    @Test("without the mark, too, damage before the last two commits is named, with how many lie behind it")
    func flippedWithoutMark() throws {
        let killed = try Killed()
        for frame in stride(from: 0, to: killed.frames - 8, by: 5) {
            var log = killed.log
            log[killed.offset(of: frame) + 24 + 999] ^= 16
            guard case .damagedLog(_, let place, let commits)? = error(try killed.copy(log: log, mark: false)) else {
                Issue.record("frame \(frame)")
                continue
            }
            #expect(place == frame)
            #expect(commits >= 2)
        }
    }

    @Test("a log that is cut, zeroed or gone is named, with the positions that are missing")
    func cut() throws {
        let killed = try Killed()
        let half = Array(killed.log.prefix(killed.offset(of: killed.frames / 2)))
        let middle = killed.log.enumerated().map { $0.offset > half.count ? 0 : $0.element }
        for log in [half, middle, [UInt8](repeating: 0, count: killed.log.count), [], nil] as [[UInt8]?] {
            guard case .lostCommits(_, let found, killed.acknowledged)? = error(try killed.copy(log: log)) else {
                Issue.record("\(log?.count ?? -1) bytes")
                continue
            }
            #expect(found < killed.acknowledged)
        }
    }

    @Test("a database of no or few bytes does not start as a new one")
    func short() throws {
        let killed = try Killed()
        for count in [0, 1, 100, 511] {
            let copy = try killed.copy(log: killed.log)
            try Data([UInt8](repeating: 83, count: count)).write(to: URL(filePath: copy.path("nilo.db")))
            #expect(error(copy) == .cutDatabase(path: copy.path("nilo.db"), bytes: count))
        }
        let copy = try killed.copy(log: nil)
        unlink(copy.path("nilo.db"))
        #expect(error(copy) == .cutDatabase(path: copy.path("nilo.db"), bytes: 0))
        let empty = try TemporaryFolder()
        #expect(try position(empty) == 0)
    }

    @Test("a hole in the journal's positions is damage, wherever it is")
    func holes() throws {
        let killed = try Killed()
        let clean = try killed.copy(log: killed.log)
        try Store(path: clean.path("nilo.db")).close()
        let rows = try Sabotage(clean.path("nilo.db")).numbers("SELECT seq FROM journal ORDER BY seq")
        for row in [rows[0], rows[7], rows[rows.count - 1]] {
            let copy = try TemporaryFolder()
            for suffix in ["", ".mark"] {
                try FileManager.default.copyItem(
                    atPath: clean.path("nilo.db" + suffix), toPath: copy.path("nilo.db" + suffix))
            }
            try Sabotage(copy.path("nilo.db")).run("DELETE FROM journal WHERE seq = \(row)")
            switch error(copy) {
            case .damagedJournal(let position, _): #expect(position == JournalPosition(row))
            case .lostCommits: #expect(row == rows.last)
            case let other: Issue.record("\(String(describing: other))")
            }
        }
    }

    @Test("a salvage keeps every commit that can be read, and the damaged files")
    func salvage() throws {
        let killed = try Killed()
        var outcomes: [JournalPosition] = []
        for frame in stride(from: 1, to: killed.frames, by: 9) {
            var log = killed.log
            log[killed.offset(of: frame) + 24 + 77] ^= 16
            let copy = try killed.copy(log: log)
            let broken = error(copy) != nil
            let outcome = try Salvage(path: copy.path("nilo.db")).run()
            #expect(outcome.acknowledged == killed.acknowledged || !broken)
            #expect(try position(copy) == outcome.position)
            if !outcome.kept.isEmpty {
                #expect([UInt8](try Data(contentsOf: URL(filePath: outcome.kept[1]))) == log)
            }
            outcomes.append(outcome.position)
        }
        // Most pages are written again by a later commit.
        #expect(outcomes.contains(killed.acknowledged))
    }

    @Test("a salvage that is interrupted while it moves files is named by a start, and goes on", arguments: 0...2)
    func interrupted(_ moved: Int) throws {
        let killed = try Killed()
        var log = killed.log
        log[killed.offset(of: killed.frames / 2) + 24 + 77] ^= 16
        let whole = try killed.copy(log: log)
        let outcome = try Salvage(path: whole.path("nilo.db")).run()
        let copy = try killed.copy(log: log)
        try FileManager.default.copyItem(atPath: whole.path("nilo.db"), toPath: copy.path("nilo.db.salvaged"))
        for suffix in ["-wal", ""].prefix(moved) {
            #expect(rename(copy.path("nilo.db" + suffix), copy.path("nilo.db.damaged-1" + suffix)) == 0)
        }
        #expect(error(copy) == .unfinishedSalvage(path: copy.path("nilo.db")))
        #expect(try Salvage(path: copy.path("nilo.db")).run().position == outcome.position)
        #expect(try position(copy) == outcome.position)
        #expect([UInt8](try Data(contentsOf: URL(filePath: copy.path("nilo.db.damaged-1-wal")))) == log)
    }

    @Test("nilod refuses to start on a damaged log with 74, salvages it, and goes on")
    func daemon() throws {
        let folder = try TemporaryFolder()
        let daemon = try Daemon(in: folder, Load.configuration)
        for slot in 0..<40 {
            let _: Control.Ingest.Reply = try daemon.call(
                "Ingest", Control.Ingest.Request(text: Load.lines(slot..<slot + 1)))
        }
        daemon.kill()
        let log = URL(filePath: folder.path("state/nilo.db-wal"))
        var bytes = [UInt8](try Data(contentsOf: log))
        bytes[bytes.count / 2] ^= 4
        try Data(bytes).write(to: log)
        let refused = #expect(throws: TestError.self) { _ = try Daemon(in: folder, Load.configuration) }
        #expect(refused?.description.contains("(74)") ?? false)
        #expect(refused?.description.contains("nilod salvage") ?? false)
        let (code, output) = try ChildProcess.run("nilod", ["salvage", "--state-dir", folder.path("state")])
        #expect(code == 0, "\(output)")
        #expect(output.contains("journal position"))
        let again = try Daemon(in: folder, Load.configuration)
        let _: Control.Ingest.Reply = try again.call("Ingest", Control.Ingest.Request(text: Load.lines(41..<42)))
        #expect(again.stop() == 0)
    }
}
