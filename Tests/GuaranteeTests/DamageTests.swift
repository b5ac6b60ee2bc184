import ControlInterface
import Foundation
import Storage
import TestSupport
import Testing
import TimeSeries

/// Everything that states, exports and forecasts are made of, as the database says it.
private struct Content: Equatable {
    private var series: [SeriesRecord]
    private var readings: [SeriesID: [PositionedReading]]
    private var checkpoints: [[String]: [UInt32]] = [:]
    private var epochs: [SeriesID: Epoch]
    private var outages: [Outage]
    private var versions: [ModelVersion]
    private var weights: [Int64: [UInt8]] = [:]
    private var champions: [String: Int64]
    private var schedule: [String: ScheduleRecord]
    private var scores: [SeriesID: [Timestamp: SlotScores]] = [:]
    private var position: JournalPosition
    private var newest: Timestamp

    init(_ store: Store) throws {
        series = try store.series()
        let wanted = series.map { ($0.id, Timestamp.distantPast) }
        readings = try store.readings(of: Dictionary(wanted) { first, _ in first }).mapValues {
            $0.sorted { ($0.position, $0.reading.timestamp) < ($1.position, $1.reading.timestamp) }
        }
        for found in try store.checkpoints().good.values.joined() {
            let numbers = [found.series.rawValue, found.epoch, found.slot, found.position, found.frontier]
            checkpoints[numbers.map { "\($0)" } + [found.kernel]] = found.state.map(\.bitPattern)
        }
        epochs = try store.currentEpochs()
        outages = try store.outages()
        versions = try store.modelVersions(of: nil)
        for version in versions { weights[version.id] = try store.weights(of: version.id) }
        champions = try store.champions()
        schedule = try store.schedule()
        var reader = store.scores(of: Set(series.map(\.id)), in: .distantPast ... .distantFuture)
        while let slice = try reader.next() {
            for block in slice { scores[block.series, default: [:]][block.start] = block.scores }
        }
        position = try store.lastPosition()
        newest = try store.newestTimestamp()
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
        "a flipped bit anywhere in any table or index is found at the start, when read, or by the scrub, or changes nothing"
    )
    func everyFlip() throws {
        let original = try Original()
        let store = try Store(path: original.folder.path("state/nilo.db"))
        let whole = try Content(store)
        #expect(try store.scrub().isEmpty)
        #expect(try store.chunkTotals().count > 3)
        try store.close()
        let copy = try TemporaryFolder().path("nilo.db")
        for table in original.tables {
            var counts: [Finding: Int] = [:]
            for offset in original.offsets(of: table, count: Self.isSoak ? nil : 100) {
                try original.copy(to: copy, flip: offset)
                let finding = Self.finding(in: copy, whole: whole)
                counts[finding, default: 0] += 1
                #expect(finding != .unseen, "\(table), byte \(offset % original.pageSize) of a page (\(offset))")
            }
            let found = counts.filter { $0.key != .harmless }.values.reduce(0, +)
            #expect(found > 0, "no flip in \(table) was found")
            print(
                "flips in \(table):", counts.map { "\($0.value) \($0.key.rawValue)" }.sorted().joined(separator: ", "))
        }
    }

    @Test("a daemon on damage in any table that it starts from refuses, or says what is damaged, or is as it was")
    func realStarts() throws {
        let original = try Original()
        let undamaged = try Daemon(in: original.folder, Load.configuration)
        let whole = try Remains(undamaged)
        #expect(undamaged.stop() == 0)
        for table in ["journal", "journal_end", "checkpoint", "model_version", "series", "epoch", "champion", "outage"]
        {
            for offset in original.offsets(of: table, count: Self.isSoak ? 200 : 4) {
                let folder = try TemporaryFolder()
                let state = folder.url.appending(path: "state")
                try FileManager.default.createDirectory(at: state, withIntermediateDirectories: true)
                try original.copy(to: state.appending(path: "nilo.db").path, flip: offset)
                do {
                    let daemon = try Daemon(in: folder, Load.configuration)
                    let remains = try? Remains(daemon)
                    let examined: Control.Examine.Reply? = try? daemon.call("Examine")
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
