import Engine
import Forecasting
import Foundation
import HoltWintersForecaster
import LSTMForecaster
import SeasonalNaiveForecaster
import Storage
import TimeSeries

/// The engine in this process, without sockets and text.
struct EngineAlone {
    let engine: Engine
    private let folder: Folder

    init() async throws {
        folder = try Folder()
        guard let quantiles = QuantileLevels([0.05, 0.5, 0.95]) else { throw Failure("no quantiles") }
        var house = ForecasterConfiguration(
            name: "house", method: "lstm", selectors: [.all], horizon: 1, quantiles: quantiles)
        house.parameters = ["lstm": ["recipe": .string("plain"), "units": .integer(32), "steps": .integer(40)]]
        (house.opponents, house.warmUpSlots, house.trainingSlots) = (["seasonal-naive"], 48, 100)
        let rule = SeriesRule(selector: .all, cadence: Cadence(nanoseconds: 60_000_000_000))
        engine = try await Engine(
            store: Store(path: folder.path + "/nilo.db"), methods: Self.methods,
            configuration: EngineConfiguration(forecasters: [house], series: [rule]), clock: SystemClock(),
            kernel: "benchmark", onFatal: { fatalError("\($0)") })
    }

    private static let methods: [any ForecastingMethod] = [LSTMMethod(), HoltWinters(), SeasonalNaive()]

    /// Each of eight tasks has its share of the series and waits for every slot's acknowledgement.
    ///
    /// - Returns: the seconds until every series has stepped over everything.
    func feed(_ load: Load, _ slots: Range<Int>) async throws -> Double {
        let requests = load.parts(8).map { part in slots.map { load.readings(part, slot: $0) } }
        let engine = engine
        let clock = ContinuousClock()
        let start = clock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for share in requests {
                group.addTask { for request in share { _ = try await engine.ingest(request) } }
            }
            try await group.waitForAll()
        }
        for id in [0, load.seriesCount / 2, load.seriesCount - 1] {
            _ = try await engine.forecast(of: "room,id=\(id) t")
        }
        let took = clock.now - start
        return Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
    }

    func prepare(_ load: Load, slots: Int) async throws {
        _ = try await feed(load, 0..<slots)
        let methods = Self.methods
        let retraining = Retraining(engine: engine, folder: URL(filePath: folder.path + "/training")) {
            folder, progress in
            try TrainingRun.perform(in: RunFolder(folder), methods: methods, progress: progress)
        }
        var version: Int?
        for await event in try await retraining.request("house") {
            if case .finished(let number, _, _) = event { version = number }
        }
        await retraining.stop()
        guard let version else { throw Failure("training failed") }
        _ = try await engine.promote("house", number: version)
        for id in 0..<load.seriesCount where id % 97 == 0 { _ = try await engine.state(of: "room,id=\(id) t") }
    }

    /// One reading at a time from a source nobody waits on, ten a second.
    func trickle(_ count: Int) async throws {
        let load = Load(seriesCount: 10, slots: count / 10 + 1)
        for number in 0..<count {
            let id = number % 10
            _ = Task { [engine] in
                try await engine.ingest(load.readings(id..<id + 1, slot: number / 10), isUrgent: false)
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}
