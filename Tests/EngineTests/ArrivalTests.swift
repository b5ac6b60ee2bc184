import Engine
import TestSupport
import Testing
import TimeSeries

@Suite("How readings arrive changes nothing")
struct ArrivalTests {
    /// Three series with several readings a slot, gaps shorter and longer than `max_gap`, and corrections.
    private static func readings(_ seed: UInt64) -> [IncomingReading] {
        var dice = SeededGenerator(seed)
        var all: [IncomingReading] = []
        for name in ["a", "b", "c"] {
            var second: Int64 = 2_000
            for index in 0..<260 {
                second += Int64.random(in: 1...7, using: &dice)
                if index == 80 { second += 150 }
                if index == 170, name == "b" { second += 900 }
                all.append(reading(name, second, dice.value(at: second)))
                if index % 23 == 0 { all.append(reading(name, second, dice.value(at: second))) }
            }
        }
        return all
    }

    /// An order in which nothing is later than `slots` slots, and corrections stay behind what they correct.
    private static func shuffled(_ readings: [IncomingReading], slots: Int64, _ seed: UInt64) -> [IncomingReading] {
        var dice = SeededGenerator(seed)
        var jitter: [IncomingReading: Int64] = [:]
        let keyed = readings.enumerated().map { index, reading in
            var plain = reading
            plain.value = 0
            let delay = jitter[plain] ?? Int64.random(in: 0..<slots * Fixture.cadence, using: &dice)
            jitter[plain] = delay
            return (time: (reading.timestamp?.seconds ?? 0) + delay, index: index, reading: reading)
        }
        return keyed.sorted { ($0.time, $0.index) < ($1.time, $1.index) }.map(\.reading)
    }

    private static func run(
        _ readings: [IncomingReading], batches seed: UInt64, restarts: Bool, method: String
    ) async throws -> [Outcome] {
        var fixture = try Fixture(method: method)
        // The journal is moved into chunks again and again while readings arrive.
        if restarts { fixture.configuration.sealAfter = 40 }
        var engine = try await fixture.open()
        var dice = SeededGenerator(7)
        let prefix = (0..<180).flatMap { index in
            ["a", "b", "c"].map { reading($0, Int64(index) * 10, dice.value(at: Int64(index) * 10)) }
        }
        _ = try await engine.ingest(prefix)
        if method == "lstm" || method == "mix" {
            _ = try await fixture.train(engine)
            _ = try await engine.promote("house", number: 3)
        }
        dice = SeededGenerator(seed)
        var rest = readings[...]
        while !rest.isEmpty {
            let count = Int.random(in: 1...20, using: &dice)
            let receipt = try await engine.ingest(Array(rest.prefix(count)))
            #expect(receipt.late == 0 && receipt.refusals.isEmpty)
            rest = rest.dropFirst(count)
            if restarts, Int.random(in: 0..<12, using: &dice) == 0 { engine = try await fixture.restart(engine) }
        }
        var outcomes: [Outcome] = []
        for name in ["a", "b", "c"] { outcomes.append(try await Outcome(engine, name)) }
        try engine.stop()
        return outcomes
    }

    @Test(
        "any order within the lateness, any batches and any restarts give the same bits",
        arguments: ["holt-winters", "seasonal-naive", "lstm", "mix"])
    func order(_ method: String) async throws {
        let sorted = Self.shuffled(Self.readings(1), slots: 1, 1)
        let expected = try await Self.run(sorted, batches: 1, restarts: false, method: method)
        for seed in 2...6 as ClosedRange<UInt64> {
            let order = Self.shuffled(Self.readings(1), slots: 31, seed)
            #expect(order != sorted)
            let found = try await Self.run(order, batches: seed, restarts: seed > 3, method: method)
            #expect(found == expected)
        }
    }

    @Test("a batch that is sent again counts once, also across a restart")
    func resend() async throws {
        let fixture = try Fixture()
        var engine = try await fixture.open()
        let batch = (0..<40).map { reading("a", Int64($0) * 5, Double($0)) }
        _ = try await engine.ingest(batch)
        let before = try await Outcome(engine, "a")
        _ = try await engine.ingest(batch)
        #expect(try await Outcome(engine, "a") == before)
        let counts = try await engine.series(.all).first?.counts
        #expect(counts?.readings == 40)
        #expect(counts?.repeated == 40)
        engine = try await fixture.restart(engine)
        _ = try await engine.ingest(batch.reversed())
        #expect(try await Outcome(engine, "a") == before)
        try engine.stop()
    }

    @Test("for one timestamp the newest in the journal wins")
    func correction() async throws {
        let (first, second) = (try Fixture(), try Fixture())
        let (one, other) = (try await first.open(), try await second.open())
        let plain = (0..<20).map { reading("a", Int64($0) * 10, Double($0 % 5)) }
        _ = try await one.ingest(plain)
        var wrong = plain
        wrong[7].value = 99
        _ = try await other.ingest(wrong)
        let mistaken = try await Outcome(other, "a")
        _ = try await other.ingest([plain[7]])
        #expect(try await Outcome(other, "a") == Outcome(one, "a"))
        #expect(try await Outcome(one, "a") != mistaken)
        #expect(try await other.series(.all).first?.counts.corrected == 1)
        try one.stop()
        try other.stop()
    }
}
