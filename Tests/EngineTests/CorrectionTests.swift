import Engine
import Forecasting
import Storage
import Synchronization
import TestSupport
import Testing
import TimeSeries

/// Random readings of one series: in order, late, and corrections of every age.
private struct Corrections {
    private(set) var batches: [[IncomingReading]] = []
    /// What an export has to show: by second, the value that came last.
    private(set) var expected: [Int64: Double] = [:]
    /// After which batches the state is reset, warm.
    private(set) var resets: Set<Int> = []

    init(seed: UInt64) {
        var dice = SeededGenerator(seed)
        var front: Int64 = 0
        for batch in 0..<60 {
            var readings: [IncomingReading] = []
            for _ in 0..<Int.random(in: 1...12, using: &dice) {
                let age: Int64
                switch Int.random(in: 0..<10, using: &dice) {
                case 0..<6: age = 0
                case 6, 7: age = .random(in: 0...front, using: &dice)
                default: age = .random(in: 0...min(front, 500), using: &dice)
                }
                if age == 0 { front += 10 * .random(in: 1...3, using: &dice) }
                // Few different times, so that most late ones are corrections.
                let second = max(0, (front - age) / 10 * 10)
                let value = (dice.value(at: second) * 10).rounded() / 10
                readings.append(reading("a", second, value))
                expected[second] = value
            }
            batches.append(readings)
            if Int.random(in: 0..<12, using: &dice) == 0 { resets.insert(batch) }
        }
    }
}

@Suite("For one timestamp the newest reading wins, however old its time is")
struct CorrectionTests {
    private func export(_ engine: Engine) throws -> [(second: Int64, value: Double)] {
        var all: [(second: Int64, value: Double)] = []
        var export = try engine.export(.all, in: .distantPast ... .distantFuture)
        while let piece = try export.next() {
            all += piece.readings.map { ($0.timestamp.seconds - Fixture.start, $0.value) }
        }
        return all
    }

    private func matches(_ engine: Engine, _ expected: [Int64: Double]) throws -> Bool {
        let found = try export(engine)
        return found.map(\.second) == expected.keys.sorted() && found.allSatisfy { expected[$0.second] == $0.value }
    }

    /// Everything that depends on which reading won.
    private struct Result: Equatable {
        var live: Outcome
        var restarted: Outcome
        var warm: Outcome
        var warmRestarted: Outcome
    }

    private func run(_ corrections: Corrections, sealAfter: Int, restarts: Bool) async throws -> Result {
        var fixture = try Fixture(lateness: 8)
        fixture.configuration.sealAfter = sealAfter
        var engine = try await fixture.open()
        for (number, batch) in corrections.batches.enumerated() {
            _ = try await engine.ingest(batch)
            if corrections.resets.contains(number) { try await engine.reset(series("a"), isWarm: true) }
            if restarts, number % 7 == 3 { engine = try await fixture.restart(engine) }
        }
        #expect(try matches(engine, corrections.expected))
        let live = try await Outcome(engine, "a")
        engine = try await fixture.restart(engine)
        #expect(try matches(engine, corrections.expected))
        let restarted = try await Outcome(engine, "a")
        try await engine.reset(series("a"), isWarm: true)
        let warm = try await Outcome(engine, "a")
        engine = try await fixture.restart(engine)
        let warmRestarted = try await Outcome(engine, "a")
        #expect(try matches(engine, corrections.expected))
        try engine.stop()
        return Result(live: live, restarted: restarted, warm: warm, warmRestarted: warmRestarted)
    }

    @Test(
        "corrections of every age, seals and restarts at random points: exports and states are those of a journal that is never sealed",
        arguments: 1...24 as ClosedRange<UInt64>)
    func everyAge(seed: UInt64) async throws {
        let corrections = Corrections(seed: seed)
        let expected = try await run(corrections, sealAfter: 1_000_000, restarts: false)
        #expect(expected.live == expected.restarted)
        #expect(expected.warm == expected.warmRestarted)
        for sealAfter in [1, 20, 90] {
            let found = try await run(corrections, sealAfter: sealAfter, restarts: sealAfter != 20)
            #expect(found == expected, "seed \(seed), sealed after \(sealAfter)")
        }
        #expect(try await warmed(corrections.expected) == expected.warm)
    }

    /// The warm state of an engine that has got nothing but these readings, in their order.
    private func warmed(_ readings: [Int64: Double]) async throws -> Outcome {
        let engine = try await Fixture(lateness: 8).open()
        for (second, value) in readings.sorted(by: { $0.key < $1.key }) {
            _ = try await engine.ingest([reading("a", second, value)])
        }
        try await engine.reset(series("a"), isWarm: true)
        defer { try? engine.stop() }
        return try await Outcome(engine, "a")
    }

    /// What a training would see.
    private func panel(_ engine: Engine, _ fixture: Fixture) async throws -> Panel.Series {
        let seen = Mutex<Panel?>(nil)
        let retraining = Retraining(engine: engine, folder: fixture.folder.url.appending(path: "training")) {
            folder, _ in
            let panel = try RunFolder(folder).readRequest().panel
            seen.withLock { $0 = panel }
            throw TestError("seen")
        }
        for await _ in try await retraining.request("house") {}
        await retraining.stop()
        return try #require(seen.withLock { $0?.series.first })
    }

    @Test(
        "a panel to train on has the newest reading of each timestamp, sealed or not",
        arguments: 1...6 as ClosedRange<UInt64>, [1, 20, 1_000_000])
    func panels(seed: UInt64, sealAfter: Int) async throws {
        let corrections = Corrections(seed: seed)
        var fixture = try Fixture(method: "lstm", lateness: 8)
        fixture.configuration.sealAfter = sealAfter
        var engine = try await fixture.open()
        for (number, batch) in corrections.batches.enumerated() {
            _ = try await engine.ingest(batch)
            if number % 9 == 4 { engine = try await fixture.restart(engine) }
        }
        let panel = try await panel(engine, fixture)
        let beginning = panel.cadence.start(of: panel.start).seconds - Fixture.start
        #expect(beginning == corrections.expected.keys.min())
        #expect(panel.values.count > 60)
        for (slot, value) in panel.values.enumerated() {
            let expected = corrections.expected[beginning + Int64(slot) * Fixture.cadence].map { Float($0) }
            #expect(value.isNaN ? expected == nil : value == expected, "slot \(slot)")
        }
        try engine.stop()
    }

    @Test("an export while the journal is sealed gives each timestamp once, in order")
    func whileSealing() async throws {
        var fixture = try Fixture(lateness: 8)
        fixture.configuration.sealAfter = 1_500
        let engine = try await fixture.open()
        _ = try await engine.ingest((0..<1_400).map { reading("a", $0 * 10, Double($0)) })
        var export = try engine.export(.all, in: .distantPast ... .distantFuture)
        var found = try export.next()?.readings.map(\.timestamp) ?? []
        // Between the chunks that the export has read, and after them.
        for round in 0..<8 as Range<Int64> {
            _ = try await engine.ingest((0..<400).map { reading("a", (round * 400 + $0) * 10 + 5, 1) })
            try await engine.heartbeat()
        }
        while let piece = try export.next() { found += piece.readings.map(\.timestamp) }
        #expect(zip(found, found.dropFirst()).allSatisfy { $0 < $1 })
        #expect(found.count >= 1_400)
        try engine.stop()
    }
}
