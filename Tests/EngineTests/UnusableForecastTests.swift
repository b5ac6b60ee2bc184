import Engine
import Forecasting
import Storage
import Synchronization
import TestSupport
import Testing
import TimeSeries

/// Forecasts the last value, and from 100 on a number that is none.
private struct ExplodingMethod: ForecastingMethod {
    let manifest = Manifest(name: "exploding", version: "1", summary: "explodes above 100", parameters: [])
    let bad: Float

    func load(weights: [UInt8], specification: ForecastSpecification) throws -> any ForecastModel {
        ExplodingModel(bad)
    }
}

private final class ExplodingModel: ForecastModel {
    let stateCount = 1
    let lags: [Int] = []
    let initialState: [Float] = [0]
    let summary = "the last value"
    private let bad: Float

    init(_ bad: Float) { self.bad = bad }

    func advance(_ batch: inout AdvanceBatch) {
        for row in 0..<batch.count {
            if !batch.values[row].isNaN { batch.states[row] = batch.values[row] }
            for place in 0..<batch.forecasts.count / batch.count {
                batch.forecasts[row * batch.forecasts.count / batch.count + place] =
                    batch.states[row] >= 100 ? bad : batch.states[row]
            }
        }
    }
}

@Suite("Forecasts that are not finite")
struct UnusableForecastTests {
    private let warnings = Warnings()

    private final class Warnings: Sendable {
        let all = Mutex<[String]>([])
    }

    private func engine(_ fixture: Fixture, _ bad: Float) async throws -> Engine {
        try await Engine(
            store: Store(path: fixture.folder.path("nilo.db")), methods: fixture.methods + [ExplodingMethod(bad: bad)],
            configuration: fixture.configuration, clock: fixture.clock, kernel: "test",
            onFatal: { fatalError("\($0)") },
            onNotice: { [warnings] notice in warnings.all.withLock { $0.append("\(notice)") } })
    }

    @Test(
        "they are absent with a reason, not told to watchers, counted, and said once for each model",
        arguments: [Float.nan, .infinity, -.infinity, 3e38, -3e38])
    func absent(_ bad: Float) async throws {
        let fixture = try Fixture(method: "exploding")
        let engine = try await engine(fixture, bad)
        let watcher = engine.watch(.all)
        func send(_ slots: Range<Int64>, _ value: Double) async throws {
            for slot in slots {
                _ = try await engine.ingest(["a", "b"].map { reading($0, slot * 10, value) })
                // Both have stepped: slots that are stepped together are told and counted together.
                for name in ["a", "b"] { _ = try await engine.state(of: series(name)) }
            }
        }
        try await send(0..<20, 5)
        #expect(try await engine.forecast(of: series("a")).forecast.values.allSatisfy { $0 == 5 })
        #expect(engine.unusableForecasts.isEmpty)
        try await send(20..<30, 200)
        await #expect(throws: EngineError.notFinite(series: series("a"), forecaster: "house", version: 1)) {
            try await engine.forecast(of: series("a"))
        }
        // A silent series' forecast is rolled forward.
        await #expect(throws: EngineError.self) {
            try await engine.forecast(of: series("a"), asOf: .from(seconds: Fixture.start + 1_000))
        }
        #expect(engine.unusableForecasts == ["house": 20])
        #expect(warnings.all.withLock { $0.count } == 1)
        #expect(warnings.all.withLock { $0.first?.contains("version 1 of house (exploding)") } == true)
        let scores = try await engine.scores(.all, in: .distantPast ... .distantFuture)
        #expect(scores.flatMap(\.blocks).flatMap(\.leads).allSatisfy { $0.loss.isFinite && $0.error.isFinite })
        // It comes back with the next value that it can forecast from.
        try await send(30..<31, 6)
        #expect(try await engine.forecast(of: series("a")).forecast.values.allSatisfy { $0.isFinite })
        try engine.stop()
        var told = 0
        for await event in watcher {
            guard case .forecast(let forecast) = event.value else { continue }
            #expect(forecast.forecast.values.allSatisfy { $0.isFinite })
            told += 1
        }
        #expect(told == 42)
    }

    @Test("a reading beyond what forecasters see is kept and exported, and is no point of a history")
    func missing() async throws {
        let fixture = try Fixture()
        let engine = try await fixture.open()
        for slot in 0..<30 {
            _ = try await engine.ingest([reading("a", Int64(slot) * 10, slot % 4 == 1 ? 1e19 : Double(slot % 5))])
        }
        #expect(try await engine.series(.all).first?.counts.readings == 30)
        _ = try await engine.ingest([reading("a", 300, -2e38)])
        let made = try await engine.forecast(of: series("a"))
        #expect(made.forecast.values.allSatisfy { $0.isFinite })
        #expect(made.history.allSatisfy { $0.value.isFinite } && made.history.count == 22)
        var export = try engine.export(.all, in: .distantPast ... .distantFuture)
        var values: [Double] = []
        while let (_, readings) = try export.next() { values += readings.map(\.value) }
        #expect(values.count { $0 == 1e19 } == 8 && values.last == -2e38)
        try engine.stop()
    }
}
