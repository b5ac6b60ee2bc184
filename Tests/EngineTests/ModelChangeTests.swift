import Engine
import Forecasting
import Synchronization
import TestSupport
import Testing
import TimeSeries

@Suite("Changes of models follow one another, and memory and database change together")
struct ModelChangeTests {
    @Test(
        "promotions, rollbacks, resets, reloads, forgetting and ingest at once: a restart finds what was in memory",
        arguments: 1...12 as ClosedRange<UInt64>)
    func overlapping(seed: UInt64) async throws {
        var fixture = try Fixture(method: "holt-winters", lateness: 8)
        fixture.configuration.sealAfter = 300
        fixture.configuration.forecasters[0].opponents = ["seasonal-naive"]
        var engine = try await ModelFixture.filled(fixture)
        let versions = try await engine.models(of: "house").map(\.version.number)
        var dice = SeededGenerator(seed)
        for round in 0..<4 as Range<Int64> {
            var jobs: [@Sendable (Engine) async throws -> Void] = []
            var other = fixture.configuration
            other.forecasters[0].maxGap = .random(in: 3...40, using: &dice)
            other.series[0].aggregate = Bool.random(using: &dice) ? .mean : .max
            let cadence: Int64 = Bool.random(using: &dice) ? 10 : .random(in: 1...3, using: &dice) * 10
            other.series[0].cadence = Cadence(nanoseconds: cadence * 1_000_000_000)
            let changed = other
            for _ in 0..<8 {
                let name = ModelFixture.names.randomElement(using: &dice) ?? "s0"
                let version = versions.randomElement(using: &dice) ?? 1
                switch Int.random(in: 0..<7, using: &dice) {
                case 0, 1: jobs.append { _ = try await $0.promote("house", number: version) }
                case 2: jobs.append { _ = try await $0.rollBack("house") }
                case 3: jobs.append { try await $0.reset(series(name), isWarm: version % 2 == 0) }
                case 4:
                    jobs.append { _ = try await $0.reload(changed) }
                    fixture.configuration = changed
                case 5: jobs.append { _ = try await $0.forget(SeriesSelector(series(name))) }
                default:
                    jobs.append { engine in
                        for index in 0..<10 as Range<Int64> {
                            let second = 1_200 + round * 200 + index * 10
                            _ = try await engine.ingest([
                                reading(name, second, Double(index)), reading(name, second - 400, 3),
                            ])
                        }
                    }
                }
            }
            let running = engine
            await withTaskGroup(of: Void.self) { group in
                // A series may have been forgotten, a rollback may have nothing to go back to.
                for job in jobs { group.addTask { try? await job(running) } }
            }
            let before = try await ModelFixture.look(engine)
            engine = try await fixture.restart(engine)
            #expect(try await ModelFixture.look(engine) == before, "seed \(seed), round \(round)")
        }
        try engine.stop()
    }

    @Test("a reset of a series does not undo a promotion that comes between its question and its answer")
    func resetDuringPromotion() async throws {
        var fixture = try Fixture(method: "holt-winters")
        fixture.configuration.forecasters[0].opponents = ["seasonal-naive"]
        let engine = try await ModelFixture.filled(fixture)
        let numbers = try await engine.models(of: "house").map(\.version.number)
        for round in 0..<30 {
            let number = numbers[round % numbers.count]
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await engine.promote("house", number: number) }
                for name in ModelFixture.names { group.addTask { try await engine.reset(series(name), isWarm: true) } }
                try await group.waitForAll()
            }
            for name in ModelFixture.names { #expect(try await engine.state(of: series(name)).version == number) }
        }
        try engine.stop()
    }

    @Test("weights that nothing can come back to are removed; their rows and scores stay, and loading them says so")
    func pruning() async throws {
        var fixture = try Fixture(method: "lstm")
        fixture.configuration.forecasters[0].keepVersions = 2
        let engine = try await ModelFixture.filled(fixture)
        for _ in 0..<6 { _ = try await fixture.train(engine) }
        for number in [8, 7] { _ = try await engine.promote("house", number: number) }
        let models = try await engine.models(of: "house").map(\.version)
        let trained = models.filter { $0.method == "lstm" }
        #expect(trained.map(\.number) == [3, 4, 5, 6, 7, 8])
        #expect(trained.filter { $0.prunedAt == nil }.map(\.number) == [7, 8])
        #expect(trained.allSatisfy { HoldoutReport.of($0.metrics) != nil })
        let error = await #expect(throws: EngineError.self) { try await engine.promote("house", number: 3) }
        #expect(error?.description.contains("keep_versions") ?? false)
        #expect(!engine.isMissingModels)
        #expect(try await engine.rollBack("house") == ModelFixture.names.count)
        #expect(try await engine.state(of: series("s0")).version == 8)
        try engine.stop()
    }

    @Test("of a series' epochs two stay: the newest, and the one that a rollback goes back to")
    func epochs() async throws {
        var fixture = try Fixture(method: "holt-winters")
        fixture.configuration.forecasters[0].opponents = ["seasonal-naive"]
        var engine = try await ModelFixture.filled(fixture)
        let numbers = try await engine.models(of: "house").map(\.version.number)
        for number in numbers + numbers + numbers { _ = try await engine.promote("house", number: number) }
        for _ in 0..<3 { for name in ModelFixture.names { try await engine.reset(series(name), isWarm: true) } }
        #expect(
            try Sabotage(fixture.folder.path("nilo.db")).numbers("SELECT COUNT(*) FROM epoch") == [
                2 * ModelFixture.names.count
            ]
        )
        let served = try await engine.state(of: series("s3")).version
        #expect(try await engine.rollBack("house") == ModelFixture.names.count)
        #expect(try await engine.state(of: series("s3")).version != served)
        engine = try await fixture.restart(engine)
        #expect(try await engine.rollBack("house") == ModelFixture.names.count)
        #expect(try await engine.state(of: series("s3")).version == served)
        try engine.stop()
    }

    @Test("trainings, failed ones too, and changes of models are told once each, and counted")
    func told() async throws {
        let fixture = try Fixture(method: "lstm")
        let notices = Notices()
        let engine = try await fixture.open(notices)
        // A contest without a reading cannot be.
        _ = try await fixture.train(engine)
        _ = try await engine.ingest((0..<300).map { reading("s0", Int64($0) * 10, Double($0 % 7)) })
        _ = try await fixture.train(engine)
        _ = try await engine.promote("house", number: 3)
        _ = try await engine.rollBack("house")
        try await engine.reset(series("s0"), isWarm: true)
        func count(_ text: String) -> Int { notices.texts.count { $0.contains(text) } }
        #expect(count("house: training failed: ") == 1)
        #expect(count("house: trained; version 3 ") == 1)
        #expect(count("house: version 3 was promoted and serves 1 series") == 1)
        #expect(count("house: 1 series were rolled back") == 1)
        #expect(count("the state of \(series("s0")) was reset and warmed up again") == 1)
        #expect(engine.modelCounts.trained == ["house": 1] && engine.modelCounts.failedTrainings == ["house": 1])
        #expect(engine.modelCounts.changes["rollback"] == 1 && engine.modelCounts.changes["reset"] == 1)
        await #expect(throws: EngineError.self) { _ = try await engine.promote("house", number: 9) }
        await #expect(throws: EngineError.self) { _ = try await engine.rollBack("other") }
        #expect(count("forecaster house: the promotion of version 9 was refused: ") == 1)
        #expect(count("forecaster other: a rollback was refused: ") == 1)
        #expect(engine.modelCounts.changes["refusal"] == 2)
        let events = try await engine.modelEvents(of: "house", limit: 100)
        #expect(events.count { $0.kind == .refusal && $0.text.contains("the promotion of version 9: ") } == 1)
        #expect(events.count { $0.kind == .failure && $0.version == nil } == 1)
        #expect(events.count { $0.kind == .training && $0.version == 3 && $0.text.contains("version 3 serves") } == 1)
        let changes = events.filter { $0.kind == .change }.suffix(3)
        #expect(changes.map(\.text) == ["promoted by hand", "rolled back", "reset, warm"])
        #expect(changes.first?.version == 3 && changes.allSatisfy { $0.series == 1 })
        #expect(changes.map(\.version).dropFirst().allSatisfy { $0 != 3 })
        try engine.stop()
    }

    @Test("a version that nothing has any more is unloaded at once")
    func unloading() async throws {
        var fixture = try Fixture(method: "counted")
        let living = LivingModels()
        fixture.methods = [CountedMethod(living: living)]
        let engine = try await ModelFixture.filled(fixture)
        for number in 1...6 {
            _ = try await fixture.train(engine)
            _ = try await engine.promote("house", number: number)
            for name in ModelFixture.names { #expect(try await engine.state(of: series(name)).version == number) }
            #expect(living.count.load(ordering: .relaxed) == 1)
        }
        try engine.stop()
    }
}

/// How many models of a method there are.
private final class LivingModels: Sendable {
    let count = Atomic(0)
}

private struct CountedMethod: TrainableMethod {
    let manifest = Manifest(name: "counted", version: "1", summary: "counts its models", parameters: [])
    let living: LivingModels

    func train(
        _ panel: Panel, from: [UInt8]?, specification: ForecastSpecification,
        progress: (TrainingProgress) throws -> Void
    ) throws -> TrainedWeights { TrainedWeights(weights: [1], metrics: [:]) }

    func load(weights: [UInt8], specification: ForecastSpecification) throws -> any ForecastModel {
        CountedModel(living)
    }
}

private final class CountedModel: ForecastModel {
    let stateCount = 1
    let lags: [Int] = []
    let initialState: [Float] = [0]
    let summary = "one number"
    private let living: LivingModels

    init(_ living: LivingModels) {
        self.living = living
        living.count.add(1, ordering: .relaxed)
    }

    deinit { living.count.subtract(1, ordering: .relaxed) }

    func advance(_ batch: inout AdvanceBatch) {
        for place in batch.forecasts.indices { batch.forecasts[place] = 1 }
    }
}
