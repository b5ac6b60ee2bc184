import ControlInterface
import Forecasting
import Foundation
import Glibc
import LSTMForecaster
import PluginHost
import SeasonalNaiveForecaster
import TestSupport
import Testing
import TimeSeries

/// The folder that holds `nilod` and this test bundle.
let products = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
let nilod = products.appending(path: "nilod").path
let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

@Suite("A method in a process of its own", .serialized)
struct OutOfProcessTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static func manifest(of method: any ForecastingMethod) -> PluginManifest {
        PluginManifest(
            manifest: method.manifest, command: [nilod, "plugin", method.manifest.name], folder: "/",
            isTrainable: method is any TrainableMethod, deadline: .seconds(10))
    }

    private func catalog(_ method: any ForecastingMethod) -> PluginCatalog {
        PluginCatalog([.usable(Self.manifest(of: method))], launcher: nilod, folder: folder.path("plugins")) {
            print("\($0): \($1)")
        }
    }

    private func awaitReady(_ catalog: PluginCatalog, restarts: Int = 0) throws {
        try wait(until: "the plugin is ready after \(restarts) restarts") {
            catalog.reports.contains { $0.state == "ready" && $0.counts.restarts == restarts }
        }
    }

    private static func specification(_ parameters: Parameters = [:]) throws -> ForecastSpecification {
        let quantiles = try #require(QuantileLevels([0.05, 0.5, 0.95]))
        return ForecastSpecification(horizon: 6, quantiles: quantiles, parameters: parameters)
    }

    /// A wave with gaps, NaN where there is none; another for each series.
    private static func value(_ series: Int, _ slot: Int) -> Float {
        if slot % 97 < 9 + series { return .nan }
        let phase = Float((slot * (series + 1)) % 48) / 48
        return Float(10 * series) + 4 * abs(phase - 0.5) + 0.1 * Float(slot * 7 % 11)
    }

    private static var panel: Panel {
        get throws {
            let cadence = try #require(Cadence(nanoseconds: 60_000_000_000))
            return Panel(
                series: (0..<3).map { series in
                    Panel.Series(
                        id: SeriesID(Int64(series)), key: "room,id=\(series) t", cadence: cadence, start: 0,
                        values: (0..<300).map { value(series, $0) }, utcOffsets: Array(repeating: 0, count: 300))
                })
        }
    }

    /// Steps `batch` to `slot`, with lags from the past values.
    private static func fill(_ batch: inout AdvanceBatch, _ model: any ForecastModel, slot: Int, states: [Float]) {
        batch.reset(count: 5, model: model, forecastCount: 18, wantsForecasts: slot % 3 == 0)
        batch.states = states
        for row in 0..<5 {
            batch.series[row] = SeriesID(Int64(row))
            batch.values[row] = value(row, slot)
            batch.calendar[row] = CalendarTime(localSeconds: Int64(slot) * 60, cadenceSeconds: 60)
            for (place, lag) in model.lags.enumerated() where slot >= lag {
                batch.lagged[row * model.lags.count + place] = value(row, slot - lag)
            }
        }
    }

    /// Runs both for 1,000 slots, with a new process in the middle.
    private func compare(_ method: any ForecastingMethod, weights: [UInt8], _ parameters: Parameters = [:]) throws {
        let specification = try Self.specification(parameters)
        let catalog = catalog(method)
        defer { catalog.stop() }
        let inside = try method.load(weights: weights, specification: specification)
        let outside = try catalog.methods[0].load(weights: weights, specification: specification)
        #expect(outside.lags == inside.lags)
        #expect(outside.summary == inside.summary)
        try awaitReady(catalog)
        var (here, there) = (
            AdvanceBatch(count: 5, model: inside, forecastCount: 18, wantsForecasts: true),
            AdvanceBatch(count: 5, model: inside, forecastCount: 18, wantsForecasts: true)
        )
        var states = (0..<5).flatMap { _ in inside.initialState }
        for slot in 0..<1_000 {
            if slot == 500, let pid = catalog.reports.first?.pid {
                kill(pid, SIGKILL)
                try awaitReady(catalog, restarts: 1)
            }
            Self.fill(&here, inside, slot: slot, states: states)
            Self.fill(&there, inside, slot: slot, states: states)
            inside.advance(&here)
            outside.advance(&there)
            try #require(!there.absent.contains(true))
            try #require(there.states.map(\.bitPattern) == here.states.map(\.bitPattern), "states of slot \(slot)")
            try #require(
                there.forecasts.map(\.bitPattern) == here.forecasts.map(\.bitPattern), "forecasts of slot \(slot)")
            states = there.states
        }
    }

    @Test("the LSTM gives bit-identical states and forecasts over 1,000 slots with gaps and a new process in between")
    func lstm() throws {
        let parameters: Parameters = ["units": .integer(16), "steps": .integer(20), "batch": .integer(8)]
        let weights = try LSTMMethod().train(
            Self.panel, from: nil, specification: Self.specification(parameters), progress: { _ in }
        ).weights
        try compare(LSTMMethod(), weights: weights, parameters)
    }

    @Test("so does a method with lags and without weights")
    func seasonalNaive() throws { try compare(SeasonalNaive(), weights: [], ["season": .integer(24)]) }

    @Test("training there gives the weights that training here gives, and tells how far it is")
    func training() throws {
        let parameters: Parameters = [
            "recipe": .string("plain"), "units": .integer(8), "steps": .integer(80), "batch": .integer(8),
        ]
        let specification = try Self.specification(parameters)
        let here = try LSTMMethod().train(
            Self.panel, from: nil, specification: specification, progress: { _ in })
        let catalog = catalog(LSTMMethod())
        let method = try #require(catalog.methods[0] as? any TrainableMethod)
        var steps: [TrainingProgress] = []
        let there = try method.train(Self.panel, from: nil, specification: specification) { steps.append($0) }
        #expect(there.weights == here.weights)
        #expect(there.metrics == here.metrics)
        #expect(steps.first?.total == 80)
        // Throwing from the progress cancels, and leaves no process.
        #expect(throws: ForecastingError.cancelled) {
            try method.train(Self.panel, from: nil, specification: specification) { _ in
                throw ForecastingError.cancelled
            }
        }
    }

    @Test("a model that was described once is there at once without its process; its rows are absent until it comes")
    func described() throws {
        let method = SeasonalNaive()
        let first = catalog(method)
        let specification = try Self.specification()
        let known = try first.methods[0].load(weights: [], specification: specification)
        first.stop()
        var manifest = Self.manifest(of: method)
        manifest.command = ["/nowhere/at/all"]
        let second = PluginCatalog([.usable(manifest)], launcher: nilod, folder: folder.path("plugins")) { _, _ in }
        defer { second.stop() }
        let model = try second.methods[0].load(weights: [], specification: specification)
        #expect(model.stateCount == known.stateCount)
        var batch = AdvanceBatch(count: 2, model: model, forecastCount: 18, wantsForecasts: true)
        batch.states = [1, 2, 3, 4, 5, 6]
        model.advance(&batch)
        #expect(batch.absent == [true, true])
        #expect(batch.states == [1, 2, 3, 4, 5, 6])
        #expect(batch.forecasts.allSatisfy { $0.isNaN })
        #expect(throws: ForecastingError.self) {
            try second.methods[0].load(
                weights: [], specification: Self.specification(["season": .string("none")]))
        }
    }
}
