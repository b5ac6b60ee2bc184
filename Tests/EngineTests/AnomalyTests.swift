import Engine
import TestSupport
import Testing
import TimeSeries

@Suite("Anomalies")
struct AnomalyTests {
    /// An engine whose series are judged, with a clock that stands at the slot that is fed.
    private struct World {
        var fixture: Fixture
        var engine: Engine
        private var stream: EventStream
        private var earlier: [SeriesAnomaly] = []

        init(cooldown: Int64 = 100) async throws {
            fixture = try Fixture(lateness: 60)
            fixture.configuration.forecasters[0].anomaly = 1e-4
            fixture.configuration.forecasters[0].anomalyCooldown = cooldown * 1_000_000_000
            engine = try await fixture.open()
            stream = engine.watch(.all)
        }

        /// A reading for each of `slots`, a commit each; `values` are those that are not of the steady wave.
        func feed(_ slots: ClosedRange<Int64>, _ values: [Int64: Double] = [:]) async throws {
            for slot in slots {
                fixture.clock.set(seconds: Fixture.start + slot * Fixture.cadence)
                try await send(slot, values[slot] ?? Self.steady(slot))
            }
        }

        /// The same in one commit.
        func feedAtOnce(_ slots: ClosedRange<Int64>, _ values: [Int64: Double]) async throws {
            fixture.clock.set(seconds: Fixture.start + slots.upperBound * Fixture.cadence)
            let readings = slots.map { reading("a", $0 * Fixture.cadence, values[$0] ?? Self.steady($0)) }
            _ = try await engine.ingest(readings)
        }

        func send(_ slot: Int64, _ value: Double, late second: Int64 = 0) async throws {
            _ = try await engine.ingest([reading("a", slot * Fixture.cadence + second, value)])
            // Its shard has stepped.
            _ = try await engine.series(.all)
        }

        /// Beyond the highest quantile of the next slot, in distances from there to the median.
        func outlier(_ distances: Float) async throws -> Float {
            let next = try await engine.forecast(of: series("a")).forecast.quantiles(atLead: 1)
            let quantiles = Array(next)
            return quantiles[2] + distances * (quantiles[2] - quantiles[1])
        }

        static func steady(_ slot: Int64) -> Double { 20 + Double(slot * 7 % 5) / 10 }

        mutating func restart() async throws {
            earlier += try await stop()
            engine = try await fixture.open()
            stream = engine.watch(.all)
        }

        /// Stops the engine.
        ///
        /// - Returns: the anomalies since the last restart.
        private func stop() async throws -> [SeriesAnomaly] {
            try engine.stop()
            var found: [SeriesAnomaly] = []
            for await event in stream {
                if case .anomaly(let anomaly) = event.value { found.append(anomaly) }
            }
            return found
        }

        /// All that was told, as slots after the first.
        mutating func end() async throws -> [SeriesAnomaly] { try await earlier + stop() }
    }

    private static func slots(_ anomalies: [SeriesAnomaly]) -> [Int64] {
        anomalies.map { $0.slot - Fixture.start / Fixture.cadence }
    }

    @Test("a closed slot far outside its forecast is told once, with what was expected; one that is open is not")
    func told() async throws {
        var world = try await World()
        try await world.feed(0...121, [80: 35, 121: 35])
        let found = try await world.end()
        #expect(Self.slots(found) == [80])
        let anomaly = try #require(found.first)
        #expect(anomaly.value == 35 && anomaly.probability < 1e-4 && anomaly.suppressed == 0)
        #expect(anomaly.expected.count == 3 && anomaly.expected[0] < anomaly.expected[2])
        #expect(anomaly.expected.allSatisfy { (19...22).contains($0) }, "\(anomaly.expected)")
        // The first slots of all are forecast as points; nothing is an anomaly there.
        #expect(anomaly.forecaster == "house" && anomaly.method == "holt-winters" && anomaly.version == 1)
    }

    @Test("slots that close together tell what those that close one by one do, with the same expectations")
    func atOnce() async throws {
        let outliers: [Int64: Double] = [80: 35, 110: 35]
        var (single, joint) = (try await World(), try await World())
        try await single.feed(0...121, outliers)
        try await joint.feed(0...20)
        try await joint.feedAtOnce(21...121, outliers)
        let (one, all) = (try await single.end(), try await joint.end())
        #expect(!one.isEmpty && one.map(\.slot) == all.map(\.slot))
        #expect(one.map(\.expected) == all.map(\.expected))
        #expect(one.map(\.probability) == all.map(\.probability))
    }

    @Test("without the key nothing is an anomaly")
    func off() async throws {
        var world = try await World()
        world.fixture.configuration.forecasters[0].anomaly = nil
        try await world.restart()
        try await world.feed(0...90, [80: 35])
        #expect(try await world.end().isEmpty)
    }

    @Test("late readings, corrections and filled gaps of slots that have closed tell nothing, nor tell anything again")
    func repaired() async throws {
        var world = try await World(cooldown: 0)
        for slot in Int64(0)...99 where slot != 85 {
            try await world.feed(slot...slot, [80: 35])
        }
        let before = try await world.engine.state(of: series("a"))
        // Before the anomaly, in its slot, in the gap, and an outlier where there was none.
        for (slot, value) in [(78, 20.5), (80, 35.5), (80, 36), (85, 60), (90, 60), (60, 60)] as [(Int64, Double)] {
            try await world.send(slot, value, late: 3)
        }
        #expect(try await world.engine.state(of: series("a")).values != before.values)
        try await world.feed(100...100)
        let told = Self.slots(try await world.end())
        #expect(told.first == 80)
        #expect(told.allSatisfy { [80, 81, 82, 83].contains($0) } && Set(told).count == told.count, "\(told)")
    }

    @Test("promotions and resets replay in silence")
    func replaced() async throws {
        var world = try await World()
        try await world.feed(0...95, [80: 35])
        _ = try await world.engine.promote("house", number: 2)
        _ = try await world.engine.promote("house", number: 1)
        try await world.engine.reset(series("a"), isWarm: true)
        try await world.feed(96...97)
        #expect(Self.slots(try await world.end()) == [80])
    }

    @Test("a restart tells nothing again, keeps the cooldown, and tells of the slot that was open then")
    func restarted() async throws {
        var world = try await World(cooldown: 200)
        try await world.feed(0...83, [80: 35])
        try await world.restart()
        // Within the cooldown, though the daemon that told of slot 80 is gone.
        try await world.feed(84...120, [90: 35, 120: 35])
        try await world.restart()
        try await world.feed(121...122)
        let found = try await world.end()
        #expect(Self.slots(found) == [80, 120])
    }

    @Test("a shift is told once a cooldown, with the number that was held back; a far worse one at once")
    func cooldown() async throws {
        var world = try await World(cooldown: 300)
        var next: Int64 = 0
        // Tails are exponential: a distance further out is e⁻⁹ times as probable, .05 and .5 being the outer quantiles.
        for (slot, distances) in [(200, 1), (205, 1), (212, 2), (220, 1), (260, 1)] as [(Int64, Float)] {
            try await world.feed(next...slot - 1)
            try await world.feed(slot...slot, [slot: Double(try await world.outlier(distances))])
            next = slot + 1
        }
        try await world.feed(next...next)
        let found = try await world.end()
        #expect(Self.slots(found) == [200, 212, 260], "\(Self.slots(found)) \(found.map(\.probability))")
        #expect(found.last.map { $0.suppressed > 0 } == true)
        #expect(found.count > 1 && found[1].probability * 100 <= found[0].probability)
    }

    @Test("an import of readings from long ago tells nothing; those of the last hour are news")
    func imported() async throws {
        var world = try await World(cooldown: 0)
        world.fixture.clock.set(seconds: Fixture.start + 100 * Fixture.cadence + 3_700)
        for slot in Int64(0)...99 { try await world.send(slot, slot == 80 ? 35 : World.steady(slot)) }
        for slot in Int64(100)...400 { try await world.send(slot, slot == 300 ? 35 : World.steady(slot)) }
        let told = Self.slots(try await world.end())
        #expect(told.first == 300, "\(told)")
    }

    @Test("a reload takes another threshold, for slots that close from then on")
    func reloaded() async throws {
        var world = try await World(cooldown: 0)
        var configuration = world.fixture.configuration
        configuration.forecasters[0].anomaly = nil
        _ = try await world.engine.reload(configuration)
        try await world.feed(0...85, [80: 35])
        _ = try await world.engine.reload(world.fixture.configuration)
        try await world.send(78, 20.3, late: 3)
        try await world.feed(86...96, [95: 35])
        #expect(Self.slots(try await world.end()).first == 95)
    }
}
