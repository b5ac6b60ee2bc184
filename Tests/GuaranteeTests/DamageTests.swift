import ControlInterface
import Foundation
import Glibc
import Storage
import TestSupport
import Testing
import TimeSeries

/// A database with all that can be damaged: sealed and unsealed readings, checkpoints, weights.
private struct Original {
    let folder: TemporaryFolder
    let bytes: [UInt8]
    let pages: [(table: String, number: Int)]
    let pageSize: Int

    static let tables = ["journal", "checkpoint", "model_version", "chunk"]

    init() throws {
        folder = try TemporaryFolder()
        let daemon = try Daemon(in: folder, Load.configuration)
        try Load.prepare(daemon, slots: 300)
        for batch in Load.batches(after: 300, count: 60) {
            let _: Reply.Ingest = try daemon.call("Ingest", Question.Ingest(text: batch))
        }
        guard daemon.stop() == 0 else { throw TestError(daemon.process.standardError) }
        let database = folder.path("state/nilo.db")
        bytes = [UInt8](try Data(contentsOf: URL(filePath: database)))
        (pages, pageSize) = try Sabotage(database).pages(of: Self.tables)
    }

    /// A copy whose byte at `offset` has one bit turned, in a folder of its own.
    func flipped(_ offset: Int, in folder: TemporaryFolder) throws {
        var copy = bytes
        copy[offset] ^= 1 << UInt8(offset % 8)
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.url.path) {
            unlink(folder.path(name))
        }
        try Data(copy).write(to: URL(filePath: folder.path("nilo.db")))
    }

    /// Every `stride`-th byte of a table's pages, the first of them different from page to page.
    func offsets(of table: String, stride step: Int) -> [Int] {
        pages.filter { $0.table == table }.flatMap { page in
            let start = (page.number - 1) * pageSize
            return Array(stride(from: start + page.number * 7 % step, to: start + pageSize, by: step))
        }
    }
}

/// Everything that states, exports and forecasts are made of, as the database says it.
private struct Content: Equatable {
    private var readings: [String: [String]] = [:]
    private var checkpoints: [String] = []
    private var weights: [Int64: [UInt8]] = [:]
    private var rest: [String] = []

    init(_ store: Store) throws {
        let series = try store.series()
        let found = try store.readings(
            of: Dictionary(series.map { ($0.id, Timestamp.distantPast) }, uniquingKeysWith: { first, _ in first }))
        for record in series {
            readings["\(record)"] = (found[record.id] ?? []).map { "\($0)" }.sorted()
        }
        checkpoints = try store.checkpoints().good.values.flatMap { $0.map { "\($0)" } }.sorted()
        for version in try store.modelVersions(of: nil) { weights[version.id] = try store.weights(of: version.id) }
        rest = try store.currentEpochs().values.map { "\($0)" }.sorted() + store.modelVersions(of: nil).map { "\($0)" }
        rest += ["\(try store.champions())", "\(try store.lastPosition())", "\(try store.newestTimestamp())"]
    }
}

@Suite("Promise 9: damage in live content does not pass unseen")
struct DamageTests {
    private static let isSoak = ProcessInfo.processInfo.environment["NILOMETER_SOAK"] != nil

    private enum Finding: String { case atStart, whenRead, byScrub, harmless, unseen }

    /// How a flip shows.
    private static func finding(in path: String, whole: Content) -> Finding {
        let store: Store
        do { store = try Store(path: path) } catch { return .atStart }
        defer { try? store.close() }
        let content: Content
        do { content = try Content(store) } catch { return .whenRead }
        guard store.damagedChunks.isEmpty, (try? store.checkpoints().damaged.isEmpty) ?? false else { return .whenRead }
        let findings = try? store.scrub()
        guard findings?.isEmpty ?? false else { return .byScrub }
        return content == whole ? .harmless : .unseen
    }

    @Test(
        "a flipped bit anywhere in journal, checkpoints, weights or chunks is found at the start, when read, or by the scrub, or changes nothing"
    )
    func everyFlip() throws {
        let original = try Original()
        let store = try Store(path: original.folder.path("state/nilo.db"))
        let whole = try Content(store)
        #expect(try store.scrub().isEmpty)
        #expect(try store.chunkTotals().count > 3)
        try store.close()
        let copy = try TemporaryFolder()
        for table in Original.tables {
            var counts: [Finding: Int] = [:]
            for offset in original.offsets(of: table, stride: Self.isSoak ? 1 : 181) {
                try original.flipped(offset, in: copy)
                let finding = Self.finding(in: copy.path("nilo.db"), whole: whole)
                counts[finding, default: 0] += 1
                #expect(finding != .unseen, "\(table), byte \(offset % original.pageSize) of a page (\(offset))")
            }
            let found = counts.filter { $0.key != .harmless }.values.reduce(0, +)
            #expect(found > 0, "no flip in \(table) was found")
            print(
                "flips in \(table):", counts.map { "\($0.value) \($0.key.rawValue)" }.sorted().joined(separator: ", "))
        }
    }

    @Test("a daemon on a damaged journal, checkpoint or weights refuses, or says what is damaged, or is as it was")
    func realStarts() throws {
        let original = try Original()
        let undamaged = try Daemon(in: original.folder, Load.configuration)
        let whole = try Remains(undamaged)
        #expect(undamaged.stop() == 0)
        for table in ["journal", "checkpoint", "model_version"] {
            let offsets = original.offsets(of: table, stride: Self.isSoak ? 97 : 997)
            for offset in offsets.shuffled().prefix(Self.isSoak ? 400 : 10) {
                let folder = try TemporaryFolder()
                let state = folder.url.appending(path: "state")
                try FileManager.default.createDirectory(at: state, withIntermediateDirectories: true)
                var copy = original.bytes
                copy[offset] ^= 1 << UInt8(offset % 8)
                try Data(copy).write(to: state.appending(path: "nilo.db"))
                do {
                    let daemon = try Daemon(in: folder, Load.configuration)
                    let remains = try? Remains(daemon)
                    let examined: Reply.Examine? = try? daemon.call("Examine")
                    daemon.kill()
                    let isSaid = daemon.process.standardError.contains("damaged") || examined?.findings.isEmpty != true
                    // Not the forecasts: these series fell silent, so theirs depend on the clock.
                    let isWhole = remains?.states == whole.states && remains?.readings == whole.readings
                    #expect(isWhole || isSaid, "\(table) \(offset): \(daemon.process.standardError)")
                } catch let refused as TestError {
                    #expect(refused.description.contains("(74)"), "\(table) \(offset): \(refused)")
                }
            }
        }
    }
}
