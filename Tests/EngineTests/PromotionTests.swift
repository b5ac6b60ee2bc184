import Basics
import Engine
import Forecasting
import TestSupport
import Testing
import TimeSeries

@Suite("Training, promotion and the way back")
struct PromotionTests {
    private func filled(_ fixture: Fixture) async throws -> Engine {
        let engine = try await fixture.open()
        for name in ["a", "b"] {
            var dice = SeededGenerator(name == "a" ? 5 : 6)
            let values = (0..<400).map { reading(name, Int64($0) * 10, dice.value(at: Int64($0) * 10)) }
            _ = try await engine.ingest(values)
        }
        return engine
    }

    @Test("a trained model is scored beside its opponents, serves what it wins, and is found again after a restart")
    func training() async throws {
        let fixture = try Fixture(method: "lstm")
        var engine = try await filled(fixture)
        guard case .finished(let number, _, _) = try await fixture.train(engine) else {
            Issue.record("the training failed")
            return
        }
        let model = try await engine.models(of: "house").first { $0.version.number == number }?.version
        let report = HoldoutReport.of(try #require(model).metrics)
        #expect(report?.holdout.count == 3)
        #expect(report?.holdout.allSatisfy { $0.series == 2 && $0.pinball > 0 } ?? false)
        #expect(try await engine.promote("house", number: number) == 2)
        let promoted = try await Outcome(engine, "a")
        engine = try await fixture.restart(engine)
        #expect(try await Outcome(engine, "a") == promoted)
        #expect(try await engine.state(of: series("a")).method == "lstm")
        try engine.stop()
    }

    @Test("rolling back rebuilds the state of the model before, as if by a warm reset of it")
    func rollBack() async throws {
        let fixture = try Fixture(method: "lstm")
        let engine = try await filled(fixture)
        try await engine.reset(series("a"), isWarm: true)
        let before = try await Outcome(engine, "a")
        _ = try await fixture.train(engine)
        _ = try await engine.promote("house", number: 3)
        #expect(try await Outcome(engine, "a") != before)
        #expect(try await engine.rollBack("house") == 2)
        #expect(try await Outcome(engine, "a") == before)
        try engine.stop()
    }

    @Test("readings that arrive while a promotion reads its history are in the new state")
    func during() async throws {
        let fixture = try Fixture(method: "lstm")
        let engine = try await filled(fixture)
        _ = try await fixture.train(engine)
        let accepted = Locked(0)
        engine.beforeNextChange {
            for index in 400..<440 {
                let receipt = try? await engine.ingest([reading("a", Int64(index) * 10, Double(index % 7))])
                accepted.withLock { $0 += receipt?.accepted ?? 0 }
            }
        }
        _ = try await engine.promote("house", number: 3)
        // All of them between the plan of the promotion and its commit.
        #expect(accepted.withLock { $0 } == 40)
        // Those that were replayed are not counted again.
        #expect(try await engine.series(.all).first?.counts.readings == 440)
        let found = try await Outcome(engine, "a")
        let restarted = try await fixture.restart(engine)
        #expect(try await Outcome(restarted, "a") == found)
        #expect(found.slot == (Fixture.start + 4_390) / 10)
        try restarted.stop()
    }

    @Test("a model that forecasts NaN, or worse than what serves, is stored but never serves")
    func broken() async throws {
        for method in [BadMethod(name: "nan", value: .nan), BadMethod(name: "far", value: 1e6)] {
            var fixture = try Fixture(method: method.manifest.name)
            fixture.methods.append(method)
            // One opponent, so that nothing but the bad model could take over.
            fixture.configuration.forecasters[0].opponents = ["holt-winters"]
            let engine = try await filled(fixture)
            let before = try await Outcome(engine, "a")
            guard case .finished(let number, let promoted, _) = try await fixture.train(engine) else {
                Issue.record("the training failed")
                return
            }
            #expect(promoted == 0)
            #expect(try engine.champion(of: "house") == nil)
            #expect(try await Outcome(engine, "a") == before)
            #expect(try await engine.models(of: "house").last?.version.number == number)
            try engine.stop()
        }
    }

    @Test("a champion of another horizon is not gone on from: the run says so, and the version has no parent")
    func misfit() async throws {
        var fixture = try Fixture(method: "lstm")
        fixture.configuration.forecasters[0].startsFromChampion = true
        let engine = try await filled(fixture)
        _ = try await fixture.train(engine)
        _ = try await engine.promote("house", number: 3)
        fixture.configuration.forecasters[0].horizon = 5
        let restarted = try await fixture.restart(engine)
        guard case .finished(let number, _, let text) = try await fixture.train(restarted) else {
            Issue.record("the training failed")
            return
        }
        #expect(text.contains("\(TrainingNote.beginsAnew(.specification))"), "\(text)")
        let model = try await restarted.models(of: "house").first { $0.version.number == number }
        #expect(try #require(model).version.parent == nil)
        try restarted.stop()
    }

    @Test("what cannot be done says what there is")
    func refusals() async throws {
        let fixture = try Fixture(method: "lstm")
        let engine = try await filled(fixture)
        await #expect(throws: EngineError.unknownForecaster("haus", known: ["house"])) {
            try await engine.promote("haus", number: 1)
        }
        await #expect(throws: EngineError.unknownVersion(9, forecaster: "house", known: [1, 2])) {
            try await engine.promote("house", number: 9)
        }
        await #expect(throws: EngineError.nothingToRollBack(forecaster: "house")) { try await engine.rollBack("house") }
        await #expect(throws: EngineError.unknownSeries("room,id=x t", nearest: [series("a"), series("b")])) {
            try await engine.forecast(of: "room,id=x t")
        }
        try engine.stop()
    }
}

/// A method whose every forecast is one number.
private struct BadMethod: TrainableMethod {
    let manifest: Manifest
    let value: Float

    init(name: String, value: Float) {
        manifest = Manifest(name: name, version: "1", summary: "always \(value)", parameters: [])
        self.value = value
    }

    func train(
        _ panel: Panel, from: [UInt8]?, specification: ForecastSpecification,
        progress: (TrainingProgress) throws -> Void
    ) throws -> TrainedWeights { TrainedWeights(weights: [1], metrics: [:]) }

    func load(weights: [UInt8], specification: ForecastSpecification) throws -> any ForecastModel { BadModel(value) }
}

private final class BadModel: ForecastModel {
    let stateCount = 1
    let lags: [Int] = []
    let initialState: [Float] = [0]
    let summary = "one number"
    private let value: Float

    init(_ value: Float) { self.value = value }

    func advance(_ batch: inout AdvanceBatch) {
        for place in batch.forecasts.indices { batch.forecasts[place] = value }
    }
}
