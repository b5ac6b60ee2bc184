import Engine
import Forecasting
import HoltWintersForecaster
import SeasonalNaiveForecaster
import Storage
import TestSupport
import Testing
import TimeSeries

@Suite("What forecasts were worth")
struct ScoreTests {
    @Test("scores are kept by block, add up, and are the same after restarts and out-of-order arrivals")
    func kept() async throws {
        let expected = try await Self.scores(restarts: false)
        #expect(expected.count >= 5)
        #expect(expected.dropFirst().dropLast().allSatisfy { $0.leads[0].count == $0.slots })
        #expect(expected.dropFirst().dropLast().allSatisfy { block in block.tails.allSatisfy { $0 > 0 } })
        #expect(expected.allSatisfy { block in block.coverage.allSatisfy { $0.outer <= $0.count } })
        let again = try await Self.scores(restarts: true)
        #expect(again == expected)
        // A stop comes while the shard still steps over the only commit.
        #expect(try await Self.scores(restarts: false, inOneCommit: true) == expected)
    }

    private static func scores(restarts: Bool, inOneCommit: Bool = false) async throws -> [SlotScores] {
        let fixture = try Fixture(method: "holt-winters")
        var engine = try await fixture.open()
        var dice = SeededGenerator(3)
        let all = (0..<700).map { reading("a", Int64($0) * 10, dice.value(at: Int64($0) * 10)) }
        let size = inOneCommit ? all.count : 20
        for start in stride(from: 0, to: all.count, by: size) {
            let part = all[start..<start + size]
            _ = try await engine.ingest(restarts ? part.reversed() : Array(part))
            if restarts, start % 140 == 0 { engine = try await fixture.restart(engine) }
        }
        // What waits is written when the engine stops.
        engine = try await fixture.restart(engine)
        let found = try await engine.scores(SeriesSelector(series("a")), in: .distantPast ... .distantFuture)
        let coverage = try await engine.coverage()
        #expect(restarts || coverage.isEmpty, "nothing has been scored since the restart")
        try engine.stop()
        return found.first?.blocks ?? []
    }

    @Test("a block counts in the range of its last slot, and the weights of a mix are told")
    func range() async throws {
        var fixture = try Fixture(method: "mix")
        fixture.methods = [HoltWinters(), SeasonalNaive(), MixMethod(of: [HoltWinters(), SeasonalNaive()])]
        fixture.configuration.forecasters[0].parameters = [:]
        var engine = try await fixture.open()
        var dice = SeededGenerator(4)
        _ = try await engine.ingest(
            (0..<600).map { reading("a", Int64($0) * 10, dice.value(at: Int64($0) * 10)) })
        _ = try await fixture.train(engine)
        _ = try await engine.promote("house", number: 3)
        _ = try await engine.ingest(
            (600..<1_200).map { reading("a", Int64($0) * 10, dice.value(at: Int64($0) * 10)) })
        engine = try await fixture.restart(engine)
        let all = try await engine.scores(.all, in: .distantPast ... .distantFuture)[0]
        #expect(all.report.experts.map(\.name) == ["holt-winters", "seasonal-naive"])
        #expect(abs(all.report.experts.reduce(0) { $0 + $1.weight } - 1) < 1e-5)
        let middle = all.blocks[2]
        let time = Timestamp.from(seconds: (middle.start + Slot(middle.slots) - 1) * 10)
        #expect(try await engine.scores(.all, in: time...time)[0].blocks == [middle])
        try engine.stop()
    }

    @Test("an expert of a mix forecasts what its method would alone, from the newest slot and after missing ones")
    func experts() async throws {
        func run(_ method: String) async throws -> [[ExpertForecast]] {
            var fixture = try Fixture(method: method)
            fixture.methods = [HoltWinters(), SeasonalNaive(), MixMethod(of: [HoltWinters(), SeasonalNaive()])]
            fixture.configuration.forecasters[0].parameters = [
                "mix": ["holt-winters.season": .integer(7), "seasonal-naive.season": .integer(7)],
                "holt-winters": ["season": .integer(7)], "seasonal-naive": ["season": .integer(7)],
            ]
            fixture.configuration.forecasters[0].warmUpSlots = 1_000
            let engine = try await fixture.open()
            var dice = SeededGenerator(5)
            _ = try await engine.ingest(
                (0..<600).map { reading("a", Int64($0) * 10, dice.value(at: Int64($0) * 10)) })
            if method == "mix" {
                _ = try await fixture.train(engine)
                _ = try await engine.promote("house", number: 3)
            }
            var found: [[ExpertForecast]] = []
            for seconds in [5_990, 6_030] as [Int64] {
                found.append(try await engine.experts(of: series("a"), asOf: .from(seconds: Fixture.start + seconds)))
            }
            try engine.stop()
            return found
        }
        let mixed = try await run("mix")
        for (place, method) in ["holt-winters", "seasonal-naive"].enumerated() {
            let alone = try await run(method)
            for (mix, own) in zip(mixed, alone) {
                #expect(own.map(\.name) == [method] && mix[place].name == method && mix.count == 2)
                #expect(own[0].values == mix[place].values)
            }
            #expect(alone[0][0].values != alone[1][0].values)
        }
    }

    @Test("a value that no float can square is kept, exported and left out of the state")
    func hugeValue() async throws {
        let fixture = try Fixture(method: "holt-winters")
        let engine = try await fixture.open()
        _ = try await engine.ingest((0..<100).map { reading("a", Int64($0) * 10, Double($0 % 7)) })
        _ = try await engine.ingest([reading("a", 1_000, 1e300), reading("a", 1_010, 3), reading("a", 1_020, 4)])
        #expect(try await engine.forecast(of: series("a")).forecast.values.allSatisfy { $0.isFinite })
        #expect(try await engine.state(of: series("a")).modelValues.allSatisfy { $0.isFinite })
        try engine.stop()
    }
}

@Suite("Training for a reason")
struct DriftTests {
    @Test("forecasts that got worse ask for a training run, once per cooldown; steady ones never do")
    func drift() async throws {
        var fixture = try Fixture(method: "lstm")
        fixture.configuration.forecasters[0].driftRatio = 1.5
        // No new version serves, so that the history of scores goes on.
        fixture.configuration.forecasters[0].margin = 0.99
        let engine = try await fixture.open()
        var dice = SeededGenerator(8)
        func feed(_ slots: Range<Int64>, factor: Double) async throws {
            _ = try await engine.ingest(slots.map { reading("a", $0 * 10, factor * dice.value(at: $0 * 10)) })
        }
        try await feed(0..<800, factor: 1)
        #expect(try await engine.drifting().isEmpty)
        // The same wave, ten times as high: the scale of errors follows more slowly than the errors.
        try await feed(800..<860, factor: 10)
        #expect(try await engine.drifting() == ["house"])
        _ = try await fixture.train(engine)
        #expect(try await engine.drifting().isEmpty)
        fixture.clock.advance(seconds: 21_600)
        #expect(try await engine.drifting() == ["house"])
        try engine.stop()
    }

    @Test("training goes on from the champion's weights where that is configured, and names it as the parent")
    func parent() async throws {
        var fixture = try Fixture(method: "lstm")
        fixture.configuration.forecasters[0].startsFromChampion = true
        let engine = try await fixture.open()
        var dice = SeededGenerator(8)
        _ = try await engine.ingest((0..<400).map { reading("a", $0 * 10, dice.value(at: $0 * 10)) })
        _ = try await fixture.train(engine)
        _ = try await engine.promote("house", number: 3)
        _ = try await fixture.train(engine)
        let models = try await engine.models(of: "house").map(\.version)
        #expect(models.map(\.number) == [1, 2, 3, 4])
        #expect(models[2].parent == nil)
        #expect(models[3].parent == models[2].id)
        try engine.stop()
    }
}
