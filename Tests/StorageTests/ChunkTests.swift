import Storage
import TestSupport
import Testing
import TimeSeries

@Suite("Chunks")
struct ChunkTests {
    private let folder: TemporaryFolder
    private let store: Store
    private let series: SeriesID

    init() throws {
        folder = try TemporaryFolder()
        store = try Store(path: folder.path("nilo.db"))
        series = try store.write {
            try $0.insertSeries(
                key: SeriesKey(measurement: "a", field: "v"), aggregate: .mean, forecaster: nil,
                createdAt: .from(seconds: 1))
        }
    }

    private func append(_ times: [Int64], _ values: [Double], late: Set<Int> = []) throws {
        let readings = zip(times, values).enumerated().map { index, pair in
            Reading(
                series: series, timestamp: Timestamp(nanoseconds: pair.0), value: pair.1,
                timeliness: late.contains(index) ? .late : .fresh)
        }
        for start in stride(from: 0, to: readings.count, by: 500) {
            _ = try store.write { try $0.appendJournal(Array(readings[start..<min(start + 500, readings.count)])) }
        }
    }

    /// Seals everything, or what lies at or before `end`, and drops what the journal has no need of any more.
    private func seal(through end: JournalPosition? = nil) throws {
        let newest = try store.lastPosition()
        let end = end ?? newest
        var preparation = try store.prepareSeal(through: end)
        while let batch = try preparation.next() {
            for sealed in batch { try store.write { try $0.seal(sealed) } }
        }
        while try store.write({ try $0.dropSealed(through: end, limit: 3) }) > 0 {}
        #expect(end < newest || store.journalReadings == 0)
    }

    private func readings(_ from: Int64 = .min, _ to: Int64 = .max) throws -> [Reading] {
        let range = Timestamp(nanoseconds: from)...Timestamp(nanoseconds: to)
        var reader = SeriesReader(store, series, in: range, tail: try store.journalTail(of: nil)[series])
        var all: [Reading] = []
        while let some = try reader.next() { all += some }
        return all
    }

    @Test("every kind of double and of timestamp comes back to the bit")
    func roundTrip() throws {
        let special = [
            0, -0.0, 0.1, 0.30000000000000004, -273.15, 1e15, 1e15 + 1, 123_456_789.123, .leastNonzeroMagnitude,
            -.leastNormalMagnitude, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .pi, 1e300, 1e-300,
        ]
        let kinds: [[Double]] = [
            (0..<2_500).map { Double($0 % 97) / 10 + 15 }, (0..<300).map { Double(Float($0) * 0.1) },
            (0..<300).map { Double($0) * .pi }, special, [42], special.map { $0.rounded() }, (0..<70).map { _ in 1e-7 },
            [0, -0.0, 1.5],
        ]
        var time: Int64 = -9_000_000_000_000_000_000
        var expected: [UInt64] = []
        for (kind, values) in kinds.enumerated() {
            let step: Int64 = [10_000_000_000, 1, 1_000_003, 777_777_777_777, 5, 60_000_000_000, 1_000_000, 3][kind]
            let times = values.indices.map { time + Int64($0) * step + Int64($0 % 3) * (kind == 2 ? 17 : 0) }
            try append(times, values)
            try seal()
            expected += values.map(\.bitPattern)
            time = (times.last ?? 0) + 1_000_000_000_000_000
        }
        let found = try readings()
        #expect(found.map(\.value.bitPattern) == expected)
        #expect(zip(found, found.dropFirst()).allSatisfy { $0.timestamp < $1.timestamp })
    }

    @Test("doubles of many digits come back to the bit, in a fifth less where neighbours are alike")
    func changes() throws {
        var dice = SeededGenerator(6)
        let alike = (0..<2_048).map { 100 + Double($0 / 4 % 64).squareRoot() }
        let wild = (0..<1_024).map { _ in Double(bitPattern: .random(in: 0...UInt64.max, using: &dice)) }
        let finite = wild.map { $0.isFinite ? $0 : .pi }
        try append((0..<2_048).map { Int64($0) * 10 }, alike)
        try seal()
        let first = try store.chunkTotals().bytes
        #expect(first < 2_048 * 8 * 4 / 5, "\(Double(first) / 2_048) bytes a reading")
        try append((0..<1_024).map { Int64($0 + 4_096) * 10 }, finite)
        try seal()
        #expect(try store.chunkTotals().bytes - first < 1_024 * 8 + 100)
        #expect(try readings().map(\.value.bitPattern) == (alike + finite).map(\.bitPattern))
    }

    @Test("extreme timestamps do not overflow")
    func extremes() throws {
        let times: [Int64] = [.min, -1, 0, .max]
        try append(times, [1, 2, 3, 4])
        try seal()
        #expect(try readings().map(\.timestamp.nanoseconds) == times)
    }

    @Test("one-decimal readings on a regular grid take at most two bytes, with jitter at most four")
    func size() throws {
        var dice = SeededGenerator(7)
        let values = (0..<50_000).map {
            (Double($0 / 40 % 300) + Double.random(in: 0..<4, using: &dice)).rounded() / 10
        }
        let regular = (0..<50_000).map { 1_750_000_000_000_000_000 + Int64($0) * 10_000_000_000 }
        try append(regular, values)
        try seal()
        let first = try store.chunkTotals().bytes
        #expect(first < 2 * 50_000, "\(Double(first) / 50_000) bytes a reading")
        let jitter = regular.map { $0 + 1_000_000_000_000_000 + Int64.random(in: -30...30, using: &dice) * 1_000_000 }
        try append(jitter, values)
        try seal()
        let second = try store.chunkTotals().bytes - first
        #expect(second < 4 * 50_000, "\(Double(second) / 50_000) bytes a reading")
        print("chunks: \(Double(first) / 5e4) bytes a regular reading, \(Double(second) / 5e4) with jitter")
    }

    @Test("journal and chunks are one series: corrections, late readings and neighbours of a chunk's end are in place")
    func merged() throws {
        let times = (0..<3_000).map { Int64($0) * 10 }
        try append(times, times.map { Double($0) })
        try seal()
        try append([5, 15_000, 29_995, 30_010], [0.5, -1, 0.25, 7], late: [0, 1, 2])
        let before = try readings()
        try seal()
        let after = try readings()
        #expect(after.map(\.timestamp) == before.map(\.timestamp))
        #expect(after.map(\.value) == before.map(\.value))
        #expect(after.count == 3_003)
        #expect(try readings(15_000, 15_000).map(\.value) == [-1])
        #expect(try readings(4, 11).map(\.value) == [0.5, 10])
        // The fresh reading that a late one corrects is still there: states are made of fresh ones.
        let all = try store.readings(of: [series: .distantPast])[series] ?? []
        #expect(all.contains { $0.reading.timestamp.nanoseconds == 15_000 && $0.reading.value == 15_000 })
        let late = all.filter { $0.reading.timeliness == .late }
        #expect(Set(late.map(\.position)) == [3_001, 3_002, 3_003])
    }

    @Test("a chunk grows with the readings after it until it is large, and then stays as it is")
    func large() throws {
        let times = (0..<900).map { Int64($0) * 10 }
        let values = times.map { Double($0) / 10 }
        for (part, count) in [(0..<100, 1), (100..<255, 1), (255..<300, 1), (300..<900, 2)] {
            try append(Array(times[part]), Array(values[part]))
            try seal()
            #expect(try store.chunkTotals().count == count, "\(part)")
        }
        // Between its readings, and at the time of its last one.
        try append([15, 2_990], [0.5, -1])
        try seal()
        #expect(try store.chunkTotals().count == 2)
        var expected = Dictionary(uniqueKeysWithValues: zip(times, values))
        (expected[15], expected[2_990]) = (0.5, -1)
        let found = try readings()
        #expect(found.map(\.timestamp.nanoseconds) == expected.keys.sorted())
        #expect(found.allSatisfy { expected[$0.timestamp.nanoseconds] == $0.value })
    }

    @Test("a seal may end within a commit: each reading counts once, and the next seal goes on there")
    func withinCommit() throws {
        let times = (0..<1_000).map { Int64($0) * 10 }
        try append(times, times.map { Double($0) })
        for (end, left) in [(250, 1_000), (500, 500), (501, 500), (999, 500), (1_000, 0)] as [(JournalPosition, Int)] {
            try seal(through: end)
            #expect(store.journalReadings == left)
            #expect(try readings().map(\.timestamp.nanoseconds) == times)
        }
    }

    @Test("a damaged chunk is passed over and named; sealing more puts it aside")
    func damage() throws {
        try append((0..<2_048).map { Int64($0) * 10 }, (0..<2_048).map { Double($0) })
        try seal()
        try store.close()
        try Sabotage(folder.path("nilo.db")).run(
            "UPDATE chunk SET data = CAST(SUBSTR(data, 1, 90) || x'00' || SUBSTR(data, 92) AS BLOB) WHERE start = 0")
        let again = try Store(path: folder.path("nilo.db"))
        let left = try again.readings(of: [series: .distantPast])[series]
        #expect(left?.count == 1_024)
        #expect(again.damagedChunks.map(\.start.nanoseconds) == [0])
        let damaged = try again.scrub()
        #expect(damaged.count == 1)
        #expect(damaged.first?.contains("chunk of series 1") ?? false)
        try again.close()
    }

    @Test("a chunk of format 1 is read; a correction in it that came late counts again, and the series is named")
    func version1() throws {
        try append([10], [1])
        try seal()
        try store.close()
        // Readings at 10, 20 and 20 ns, the last one late and at position 4 of 9: 1, 2 and 3, decimal differences.
        let data: [UInt8] = [1, 3, 9, 20, 10, 2, 6, 1, 2, 5, 0, 0, 2, 2, 10]
        let head = [series.rawValue, 10, 20].flatMap { number in
            withUnsafeBytes(of: number.littleEndian) { Array($0) }
        }
        let hex = data.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        try Sabotage(folder.path("nilo.db")).run(
            """
            UPDATE chunk SET start = 10, newest = 20, data = x'\(hex)', crc32c = \(CRC32C.checksum(head + data))
            """)
        let again = try Store(path: folder.path("nilo.db"))
        var reader = SeriesReader(again, series, in: .distantPast ... .distantFuture, tail: [])
        var values: [Double] = []
        while let some = try reader.next() { values += some.map(\.value) }
        #expect(values == [1, 3])
        #expect(try Scrub(again).remarks().count == 1)
        #expect(try again.scrub().isEmpty)
        try again.close()
    }

    @Test("retention drops whole chunks")
    func retention() throws {
        try append((0..<4_096).map { Int64($0) * 10 }, (0..<4_096).map { Double($0) })
        try seal()
        try store.write { try $0.expire(series, before: Timestamp(nanoseconds: 20_480), .all) }
        #expect(try readings().first?.value == 2_048)
    }
}
