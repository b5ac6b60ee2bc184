import Engine
import Forecasting
import Foundation
import HoltWintersForecaster
import LSTMForecaster
import SeasonalNaiveForecaster
import Storage
import Synchronization
import TestSupport
import TimeSeries

/// An engine on a real database in a folder of its own, with a clock that the test turns.
struct Fixture {
    let folder: TemporaryFolder
    let clock = ManualClock(seconds: Self.start + 1_000_000)
    var configuration: EngineConfiguration
    var methods: [any ForecastingMethod] = [
        LSTMMethod(), HoltWinters(), SeasonalNaive(), MixMethod(of: [HoltWinters(), SeasonalNaive(), LSTMMethod()]),
    ]

    /// The time of the first reading, and the slot length.
    static let start: Int64 = 1_750_000_000
    static let cadence: Int64 = 10

    /// - Parameter lateness: in slots.
    init(method: String = "holt-winters", lateness: Int64 = 32, maxGap: Int = 24) throws {
        folder = try TemporaryFolder()
        let quantiles = try QuantileLevels([0.05, 0.5, 0.95]).orThrow()
        var forecaster = ForecasterConfiguration(
            name: "house", method: method, selectors: [.all], horizon: 6, quantiles: quantiles)
        forecaster.parameters = [
            "lstm": ["recipe": .string("plain"), "units": .integer(6), "steps": .integer(40), "batch": .integer(8)]
        ]
        forecaster.maxGap = maxGap
        forecaster.warmUpSlots = 48
        let rule = SeriesRule(
            selector: .all, cadence: Cadence(nanoseconds: Self.cadence * 1_000_000_000),
            lateness: lateness * Self.cadence * 1_000_000_000)
        configuration = EngineConfiguration(forecasters: [forecaster], series: [rule], shardCount: 2)
    }

    /// - Parameter notices: takes what the engine tells an operator.
    func open(_ notices: Notices? = nil) async throws -> Engine {
        try await Engine(
            store: Store(path: folder.path("nilo.db")), methods: methods, configuration: configuration, clock: clock,
            kernel: "test", onFatal: { fatalError("\($0)") }, onNotice: { notices?.add("\($0)") })
    }

    /// Trains in this process and returns how it ended.
    func train(_ engine: Engine) async throws -> RetrainingEvent {
        let methods = methods
        let retraining = Retraining(engine: engine, folder: folder.url.appending(path: "training")) {
            folder, progress in
            try TrainingRun.perform(in: RunFolder(folder), methods: methods, progress: progress)
        }
        var last = RetrainingEvent.queued
        for await event in try await retraining.request("house") { last = event }
        await retraining.stop()
        return last
    }

    /// Stops `engine` and starts another on the same database.
    func restart(_ engine: Engine) async throws -> Engine {
        try engine.stop()
        return try await open()
    }
}

/// What an engine told an operator.
final class Notices: Sendable {
    private let all = Mutex<[String]>([])
    var texts: [String] { all.withLock { $0 } }
    func add(_ text: String) { all.withLock { $0.append(text) } }
}

extension Optional {
    func orThrow() throws -> Wrapped {
        guard let self else { throw TestError("there is no value") }
        return self
    }
}

/// A reading of series `name`, `second` seconds after the start.
func reading(_ name: String, _ second: Int64, _ value: Double) -> IncomingReading {
    IncomingReading(
        key: SeriesKey(measurement: "room", tags: [("id", name)], field: "t"),
        timestamp: .from(seconds: Fixture.start + second), value: value)
}

func series(_ name: String) -> String { "room,id=\(name) t" }

/// What must not depend on how the readings arrived: the state's bits, its slot, and the forecast's bits.
struct Outcome: Equatable {
    var slot: Slot
    var state: [UInt32]
    var forecast: [UInt32]

    init(_ engine: Engine, _ name: String) async throws {
        let report = try await engine.state(of: series(name))
        slot = report.slot
        state = report.values.map(\.bitPattern)
        forecast = try await engine.forecast(of: series(name)).forecast.values.map(\.bitPattern)
    }
}

extension SeededGenerator {
    /// Roughly a wave with noise.
    mutating func value(at second: Int64) -> Double {
        let phase = Double(second % 480) / 480
        return 20 + 4 * abs(phase - 0.5) + Double.random(in: -0.5...0.5, using: &self)
    }
}
