import Engine
import Forecasting
import Synchronization
import TestSupport
import Testing
import TimeSeries

@Suite("Changes of models follow one another, and memory and database change together")
struct ModelChangeTests {
    private static let names = (0..<12).map { "s\($0)" }

    private func filled(_ fixture: Fixture, slots: Int = 120) async throws -> Engine {
        let engine = try await fixture.open()
        var dice = Dice(11)
        for name in Self.names {
            _ = try await engine.ingest(
                (0..<slots).map { reading(name, Int64($0) * 10, dice.value(at: Int64($0) * 10)) })
        }
        return engine
    }

    /// What serves each series, and its state.
    private func look(_ engine: Engine) async throws -> [String] {
        var all: [String] = []
        for name in Self.names {
            do {
                let state = try await engine.state(of: series(name))
                let bits = state.values.map(\.bitPattern).reduce(UInt64(0)) { $0 &* 31 &+ UInt64($1) }
                all.append("\(name) \(state.forecaster) \(state.method) \(state.version) \(state.slot) \(bits)")
            } catch { all.append("\(name) \(error)") }
        }
        return all
    }

    @Test(
        "promotions, rollbacks, resets, reloads, forgetting and ingest at once: a restart finds what was in memory",
        arguments: 1...12 as ClosedRange<UInt64>)
    func overlapping(seed: UInt64) async throws {
        var fixture = try Fixture(method: "holt-winters", lateness: 8)
        fixture.configuration.sealAfter = 300
        fixture.configuration.forecasters[0].opponents = ["seasonal-naive"]
        var engine = try await filled(fixture)
        let versions = try await engine.models(of: "house").map(\.version.number)
        var dice = Dice(seed)
        for round in 0..<4 as Range<Int64> {
            var jobs: [@Sendable (Engine) async throws -> Void] = []
            var other = fixture.configuration
            other.forecasters[0].maxGap = .random(in: 3...40, using: &dice)
            other.series[0].aggregate = Bool.random(using: &dice) ? .mean : .max
            let cadence: Int64 = Bool.random(using: &dice) ? 10 : .random(in: 1...3, using: &dice) * 10
            other.series[0].cadence = Cadence(nanoseconds: cadence * 1_000_000_000)
            let changed = other
            for _ in 0..<8 {
                let name = Self.names.randomElement(using: &dice) ?? "s0"
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
            let before = try await look(engine)
            engine = try await fixture.restart(engine)
            #expect(try await look(engine) == before, "seed \(seed), round \(round)")
        }
        try engine.stop()
    }

    @Test("a reset of a series does not undo a promotion that comes between its question and its answer")
    func resetDuringPromotion() async throws {
        var fixture = try Fixture(method: "holt-winters")
        fixture.configuration.forecasters[0].opponents = ["seasonal-naive"]
        let engine = try await filled(fixture)
        let numbers = try await engine.models(of: "house").map(\.version.number)
        for round in 0..<30 {
            let number = numbers[round % numbers.count]
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await engine.promote("house", number: number) }
                for name in Self.names { group.addTask { try await engine.reset(series(name), isWarm: true) } }
                try await group.waitForAll()
            }
            for name in Self.names { #expect(try await engine.state(of: series(name)).version == number) }
        }
        try engine.stop()
    }

    private func reloaded(_ change: (inout EngineConfiguration) -> Void) async throws {
        var fixture = try Fixture(method: "holt-winters", maxGap: 50)
        var engine = try await filled(fixture)
        // Gaps, several readings a slot: what the settings make a difference to.
        for name in Self.names {
            _ = try await engine.ingest([
                reading(name, 1_500, 20), reading(name, 1_503, 30), reading(name, 1_510, 1), reading(name, 2_900, 4),
            ])
        }
        let before = try await look(engine)
        change(&fixture.configuration)
        let (changed, warnings) = try await engine.reload(fixture.configuration)
        #expect(changed == Self.names.count)
        #expect(warnings.contains { $0.contains("changed from") })
        for when in ["at once", "later"] {
            if when == "later" {
                for name in Self.names {
                    _ = try await engine.ingest([reading(name, 3_200, 7), reading(name, 3_190, 9)])
                }
            }
            let live = try await look(engine)
            #expect(live != before)
            engine = try await fixture.restart(engine)
            #expect(try await look(engine) == live, "\(when)")
        }
        #expect(try await engine.reload(fixture.configuration).changed == 0)
        try engine.stop()
    }

    @Test("another max_gap begins a new epoch, and a restart finds its states") func maxGap() async throws {
        try await reloaded { $0.forecasters[0].maxGap = 2 }
    }

    @Test("another aggregate begins a new epoch, and a restart finds its states") func aggregate() async throws {
        try await reloaded { $0.series[0].aggregate = .max }
    }

    @Test(
        "another cadence begins a new epoch on slots of its own, and a restart finds its states",
        arguments: [5, 30, 60])
    func cadence(_ seconds: Int64) async throws {
        try await reloaded { $0.series[0].cadence = Cadence(nanoseconds: seconds * 1_000_000_000) }
    }

    @Test(
        "a cadence that was inferred from a burst gives way to a declared one, by a reload or at a start",
        arguments: [true, false], [true, false])
    func burst(byReload: Bool, isForecast: Bool) async throws {
        var fixture = try Fixture(method: "holt-winters")
        fixture.configuration.series[0].cadence = nil
        if !isForecast { fixture.configuration.forecasters = [] }
        var engine = try await fixture.open()
        for index in 0..<20 {
            var early = reading("s0", 0, 1)
            early.timestamp = early.timestamp?.advanced(byNanoseconds: Int64(index) * 1_000_000)
            _ = try await engine.ingest([early])
        }
        for minute in 1..<200 as Range<Int64> {
            _ = try await engine.ingest([reading("s0", minute * 60, Double(minute % 9))])
        }
        #expect(try await engine.series(.all)[0].cadence?.nanoseconds == 1_000_000)
        fixture.configuration.series[0].cadence = Cadence(nanoseconds: 60_000_000_000)
        if byReload {
            _ = try await engine.reload(fixture.configuration)
        } else {
            engine = try await fixture.restart(engine)
        }
        for _ in 0..<2 {
            #expect(try await engine.series(.all)[0].cadence?.nanoseconds == 60_000_000_000)
            if isForecast {
                let state = try await engine.state(of: series("s0"))
                #expect(state.slot == (Fixture.start + 199 * 60) / 60)
                let forecast = try await engine.forecast(of: series("s0"))
                #expect(forecast.history.suffix(50).map(\.value) == (150..<200).map { Float($0 % 9) })
            }
            engine = try await fixture.restart(engine)
        }
        try engine.stop()
    }

    @Test("another time zone begins a new epoch, and a restart finds its states")
    func timeZone() async throws {
        var fixture = try Fixture(method: "lstm")
        var engine = try await filled(fixture)
        _ = try await fixture.train(engine)
        _ = try await engine.promote("house", number: 3)
        fixture.configuration.calendar = LocalCalendar(name: "Asia/Kathmandu") { _ in 20_700 }
        #expect(try await engine.reload(fixture.configuration).changed == Self.names.count)
        for name in Self.names { _ = try await engine.ingest([reading(name, 1_400, 7)]) }
        let live = try await look(engine)
        engine = try await fixture.restart(engine)
        #expect(try await look(engine) == live)
        try engine.stop()
    }

    @Test("settings that changed while the daemon was away begin a new epoch at the start")
    func whileAway() async throws {
        var fixture = try Fixture(method: "holt-winters", maxGap: 50)
        var engine = try await filled(fixture)
        for name in Self.names { _ = try await engine.ingest([reading(name, 2_900, 4)]) }
        fixture.configuration.forecasters[0].maxGap = 2
        engine = try await fixture.restart(engine)
        #expect(engine.warnings.contains { $0.contains("max_gap changed from 50 to 2") })
        let live = try await look(engine)
        engine = try await fixture.restart(engine)
        #expect(engine.warnings.isEmpty)
        #expect(try await look(engine) == live)
        try engine.stop()
    }

    @Test("series that no selector names any more are forecast no more, and again when one does")
    func letGo() async throws {
        var fixture = try Fixture(method: "holt-winters")
        var engine = try await filled(fixture)
        let all = fixture.configuration.forecasters[0].selectors
        fixture.configuration.forecasters[0].selectors = [SeriesSelector("none*")]
        _ = try await engine.reload(fixture.configuration)
        await #expect(throws: EngineError.self) { try await engine.forecast(of: series("s0")) }
        fixture.configuration.forecasters[0].selectors = all
        #expect(try await engine.reload(fixture.configuration).changed == Self.names.count)
        let live = try await look(engine)
        _ = try await engine.forecast(of: series("s0"))
        engine = try await fixture.restart(engine)
        #expect(try await look(engine) == live)
        try engine.stop()
    }

    @Test("weights that nothing can come back to are removed; their rows and scores stay, and loading them says so")
    func pruning() async throws {
        var fixture = try Fixture(method: "lstm")
        fixture.configuration.forecasters[0].keepVersions = 2
        let engine = try await filled(fixture)
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
        #expect(try await engine.rollBack("house") == Self.names.count)
        #expect(try await engine.state(of: series("s0")).version == 8)
        try engine.stop()
    }

    @Test("of a series' epochs two stay: the newest, and the one that a rollback goes back to")
    func epochs() async throws {
        var fixture = try Fixture(method: "holt-winters")
        fixture.configuration.forecasters[0].opponents = ["seasonal-naive"]
        var engine = try await filled(fixture)
        let numbers = try await engine.models(of: "house").map(\.version.number)
        for number in numbers + numbers + numbers { _ = try await engine.promote("house", number: number) }
        for _ in 0..<3 { for name in Self.names { try await engine.reset(series(name), isWarm: true) } }
        #expect(
            try Sabotage(fixture.folder.path("nilo.db")).numbers("SELECT COUNT(*) FROM epoch") == [2 * Self.names.count]
        )
        let served = try await engine.state(of: series("s3")).version
        #expect(try await engine.rollBack("house") == Self.names.count)
        #expect(try await engine.state(of: series("s3")).version != served)
        engine = try await fixture.restart(engine)
        #expect(try await engine.rollBack("house") == Self.names.count)
        #expect(try await engine.state(of: series("s3")).version == served)
        try engine.stop()
    }

    @Test("a version that nothing has any more is unloaded at once")
    func unloading() async throws {
        var fixture = try Fixture(method: "counted")
        let living = LivingModels()
        fixture.methods = [CountedMethod(living: living)]
        let engine = try await filled(fixture)
        for number in 1...6 {
            _ = try await fixture.train(engine)
            _ = try await engine.promote("house", number: number)
            for name in Self.names { #expect(try await engine.state(of: series(name)).version == number) }
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
