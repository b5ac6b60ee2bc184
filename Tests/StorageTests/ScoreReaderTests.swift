import Storage
import TestSupport
import Testing
import TimeSeries

@Suite("Scores in the database")
struct ScoreReaderTests {
    private static let hour: Int64 = 3_600_000_000_000

    private static func block(_ start: Slot) -> SlotScores {
        SlotScores(
            start: start, slots: 2, scale: 1, leads: [.init(lead: 1, count: 2, loss: Float(start), error: 1)],
            coverage: [.init(count: 2, outer: 2, inner: 1)], tails: [1, 2])
    }

    /// Blocks of two hours for each of some series.
    private static func save(_ starts: some Sequence<Slot>, _ series: [SeriesID], in store: Store) throws {
        guard let cadence = Cadence(nanoseconds: hour) else { return }
        try store.write { transaction in
            for start in starts {
                for id in series { try transaction.saveScores(block(start), of: id, cadence: cadence) }
            }
        }
    }

    private static func makeSeries(_ count: Int, in store: Store) throws -> [SeriesID] {
        try store.write { transaction in
            try (0..<count).map { number in
                try transaction.insertSeries(
                    key: SeriesKey(measurement: "room", tags: [("id", "\(number)")], field: "t"), aggregate: .mean,
                    forecaster: nil, createdAt: .from(seconds: 1_750_000_000))
            }
        }
    }

    private static func time(_ hours: Int64) -> Timestamp { Timestamp(nanoseconds: hours * hour) }

    @Test("every block whose last slot is in the range is read once, in order, however many slices it takes")
    func slices() throws {
        let folder = try TemporaryFolder()
        let store = try Store(path: folder.path("nilo.db"))
        let series = try Self.makeSeries(7, in: store)
        try Self.save(stride(from: 0, to: 4_000, by: 2), series, in: store)
        var reader = store.scores(of: [series[1], series[4]], in: Self.time(101)...Self.time(3_500))
        var (found, slices): ([SeriesID: [Slot]], Int) = ([:], 0)
        while let slice = try reader.next() {
            for block in slice {
                #expect(block.scores == Self.block(block.scores.start))
                #expect(block.start == Self.time(block.scores.start))
                found[block.series, default: []].append(block.scores.start)
            }
            slices += 1
        }
        let expected = Array(stride(from: Slot(100), through: 3_498, by: 2))
        #expect(found == [series[1]: expected, series[4]: expected])
        #expect(slices >= 3)
        #expect(try reader.next() == nil)
        try store.close()
    }

    @Test("nothing is held between two slices: what is committed meanwhile is read")
    func nothingHeld() throws {
        let folder = try TemporaryFolder()
        let store = try Store(path: folder.path("nilo.db"))
        let series = try Self.makeSeries(3, in: store)
        try Self.save(stride(from: 0, to: 4_000, by: 2), series, in: store)
        var reader = store.scores(of: [series[0]], in: .distantPast ... .distantFuture)
        _ = try reader.next()
        try Self.save([9_000], series, in: store)
        var last: Slot?
        while let slice = try reader.next() { last = slice.last?.scores.start ?? last }
        #expect(last == 9_000)
        try store.close()
    }
}
