import ControlInterface
import Foundation
import Glibc
import Storage
import TestSupport
import TimeSeries

/// A database that was closed cleanly and has a row in every table, to make damaged copies of.
struct Original {
    let folder: TemporaryFolder
    let bytes: [UInt8]
    /// Every table and index but the one for what is damaged already.
    let tables: [String]
    let pageSize: Int
    private let pages: [(table: String, number: Int)]

    init() throws {
        folder = try TemporaryFolder()
        let daemon = try Daemon(in: folder, Load.configuration)
        try Load.prepare(daemon, slots: 300)
        for batch in Load.batches(after: 300, count: 60) {
            let _: Control.Ingest.Reply = try daemon.call("Ingest", Control.Ingest.Request(text: batch))
        }
        guard daemon.stop() == 0 else { throw TestError(daemon.process.standardError) }
        let database = folder.path("state/nilo.db")
        try Self.addRows(to: database)
        bytes = [UInt8](try Data(contentsOf: URL(filePath: database)))
        (pages, pageSize) = try Sabotage(database).pages()
        tables = Set(pages.map { $0.table }).subtracting(["quarantine"]).sorted()
    }

    /// What a short life without trouble leaves out: outages of slots far ahead, old scores, times of training.
    private static func addRows(to database: String) throws {
        let store = try Store(path: database)
        let epochs = try store.currentEpochs()
        let lead = SlotScores.Lead(lead: 1, count: 8, loss: 1.5, error: 0.75)
        try store.write { transaction in
            for (series, epoch) in epochs {
                for block in 0..<6 as Range<Int64> {
                    let slot = 1_000_000_000 + 10 * block
                    try transaction.saveOutage(Outage(series: series, epoch: epoch.id, slots: slot...slot + 3))
                    let scores = SlotScores(
                        start: 8 * block, slots: 8, scale: 2, leads: [lead],
                        coverage: [.init(count: 8, outer: 7, inner: 4)], tails: Array(1...8))
                    guard let cadence = Cadence(nanoseconds: 10_000_000_000) else { continue }
                    try transaction.saveScores(scores, of: series, cadence: cadence)
                }
            }
            try transaction.setSchedule(
                ScheduleRecord(forecaster: "house", lastStarted: .from(seconds: 1), lastOutcome: "kept"))
        }
        try store.close()
    }

    /// Makes the database of `folder` a copy of this one.
    ///
    /// - Parameter flip: where one bit is turned.
    func copy(to path: String, flip offset: Int? = nil) throws {
        for suffix in ["", "-wal", "-shm", ".mark"] { unlink(path + suffix) }
        var copy = bytes
        if let offset { copy[offset] ^= 1 << UInt8(offset % 8) }
        try Data(copy).write(to: URL(filePath: path))
    }

    /// Bytes of a table's pages that say something: not those in a run of zeros, which is room to grow.
    ///
    /// - Parameter count: about how many, all over the table; nil: every one.
    func offsets(of table: String, count: Int?) -> [Int] {
        let saying = pages.filter { $0.table == table }.flatMap { page in
            let start = (page.number - 1) * pageSize
            return (start..<start + pageSize).filter { place in
                bytes[max(start, place - 2)...min(place + 2, start + pageSize - 1)].contains { $0 != 0 }
            }
        }
        let step = count.map { max(1, saying.count / $0) } ?? 1
        return stride(from: step / 2, to: saying.count, by: step).map { saying[$0] }
    }
}
