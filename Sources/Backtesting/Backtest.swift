/// `Backtesting`: runs the engine over past readings as if they arrived now.
public import Engine
public import Forecasting
import Storage
import Synchronization
import TimeSeries

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Trains on the rows before `warm`, then feeds row by row and forecasts as the daemon would: with the same engine, its
/// own database, and a clock that shows the time of the newest row.
public struct Backtest: Sendable {
    public var configuration: EngineConfiguration
    public var methods: [any ForecastingMethod]
    public var plan: BacktestPlan
    /// Identifies the compute kernels.
    public var kernel: String
    /// A folder for the database and the training runs; the caller removes it.
    public var folder: URL
    public var launch: Retraining.Launcher
    /// Called once when the state on disk is unknown; the process should exit.
    public var onFatal: @Sendable (any Error) -> Void

    /// - Throws: ``BacktestError/unknownForecaster(_:known:)``.
    public init(
        _ configuration: EngineConfiguration, forecaster: String, methods: [any ForecastingMethod], plan: BacktestPlan,
        kernel: String, folder: URL, onFatal: @escaping @Sendable (any Error) -> Void,
        launch: @escaping Retraining.Launcher
    ) throws(BacktestError) {
        guard var chosen = configuration.forecasters.first(where: { $0.name == forecaster }) else {
            throw .unknownForecaster(forecaster, known: configuration.forecasters.map(\.name))
        }
        chosen.selectors = [.all]
        chosen.horizon = plan.horizon
        self.configuration = configuration
        self.configuration.forecasters = [chosen]
        (self.methods, self.plan, self.kernel) = (methods, plan, kernel)
        (self.folder, self.launch, self.onFatal) = (folder, launch, onFatal)
    }

    /// One forecast.
    public struct Prediction: Sendable {
        public var series: String
        /// The index of the last row that was read.
        public var origin: Int
        /// `[horizon][quantiles]`.
        public var values: [Float]
        /// The forecast of each expert of the mix alone.
        public var experts: [ExpertForecast]
        /// The tail probability of the newest value under the forecast before it; nil without one.
        public var tail: Float?
        /// How unusual the slot is for this series, in bits: 0 for nothing unusual, at most 20.
        public var surprise: Float
    }

    /// Runs through all series together.
    ///
    /// - Parameters:
    ///   - progress: called with the number of rows done and the total.
    ///   - onForecast: called with every forecast, by row, then by series.
    /// - Returns: how the training before the first forecast ended; nil for a method without training.
    public func run(
        _ series: [DataSeries], progress: (Int, Int) -> Void, onForecast: (Prediction) throws -> Void
    ) async throws -> String? {
        let replays = try series.map { try SeriesReplay($0, plan) }
        let clock = ReplayClock()
        let engine = try await Engine(
            store: Store(path: folder.appending(path: "nilo.db").path), methods: methods,
            configuration: configuration, clock: clock, kernel: kernel, onFatal: onFatal)
        let retraining = Retraining(engine: engine, folder: folder.appending(path: "training"), launch: launch)
        let total = replays.reduce(0) { $0 + $1.rows.end }
        var done = 0
        for replay in replays {
            try await replay.feed(0..<replay.rows.warm, to: engine, clock)
            done += replay.rows.warm
            progress(done, total)
        }
        let outcome = try await train(engine, retraining)
        try await replayAll(replays, engine, retraining, clock) { rows in
            done += rows
            progress(done, total)
        } onForecast: {
            try onForecast($0)
        }
        await retraining.stop()
        try engine.stop()
        return outcome
    }

    private var forecaster: ForecasterConfiguration { configuration.forecasters[0] }

    private func train(_ engine: Engine, _ retraining: Retraining) async throws -> String? {
        let isTrainable = methods.contains { $0.manifest.name == forecaster.method && $0 is any TrainableMethod }
        guard isTrainable else { return nil }
        _ = try await engine.claimDue()
        for await event in try await retraining.request(forecaster.name) {
            if case .failed(let reason) = event { throw BacktestError.trainingFailed(reason) }
            if case .finished(_, _, let text) = event { return text }
        }
        return nil
    }

    /// Feeds all series side by side: first the rows up to each origin, then forecasts from it.
    private func replayAll(
        _ replays: [SeriesReplay], _ engine: Engine, _ retraining: Retraining, _ clock: ReplayClock,
        rowsDone: (Int) -> Void, onForecast: (Prediction) throws -> Void
    ) async throws {
        // A schedule may fall due after any row. Without one, the rows up to the next origin can be fed at once: the
        // state does not depend on how readings are grouped.
        let isScheduled = forecaster.retrain != .never
        let origins = replays.map(\.rows.origins.count).max() ?? 0
        for index in 0..<origins {
            for replay in replays where index < replay.rows.origins.count {
                let end = replay.rows.origins[index] + 1
                let start = index == 0 ? replay.rows.warm : replay.rows.origins[index - 1] + 1
                if start < end {
                    for row in isScheduled ? Array(start..<end) : [start] {
                        try await replay.feed(row..<(isScheduled ? row + 1 : end), to: engine, clock)
                        try await retrainIfDue(engine, retraining, isScheduled)
                    }
                    rowsDone(end - start)
                }
                try onForecast(try await replay.forecast(engine, from: end - 1))
            }
        }
    }

    private func retrainIfDue(_ engine: Engine, _ retraining: Retraining, _ isScheduled: Bool) async throws {
        guard isScheduled else { return }
        for name in try await engine.claimDue().claimed {
            for await _ in try await retraining.request(name) {}
        }
    }
}

/// The replay of one series.
private struct SeriesReplay {
    let series: DataSeries
    let rows: BacktestPlan.Rows
    private var key: SeriesKey { series.key }

    init(_ series: DataSeries, _ plan: BacktestPlan) throws {
        self.series = series
        rows = try plan.rows(of: series)
    }

    func feed(_ rows: Range<Int>, to engine: Engine, _ clock: ReplayClock) async throws {
        let readings = rows.filter { !series.values[$0].isNaN }.map {
            IncomingReading(key: key, timestamp: series.timestamps[$0], value: series.values[$0])
        }
        if let last = rows.last { clock.advance(to: series.timestamps[last]) }
        for start in stride(from: 0, to: readings.count, by: 4_096) {
            _ = try await engine.ingest(Array(readings[start..<min(start + 4_096, readings.count)]))
        }
    }

    func forecast(_ engine: Engine, from row: Int) async throws -> Backtest.Prediction {
        let forecast = try await engine.forecast(of: key.description, asOf: series.timestamps[row])
        return Backtest.Prediction(
            series: series.name, origin: row, values: forecast.forecast.values,
            experts: try await engine.experts(of: key.description, asOf: series.timestamps[row]), tail: forecast.tail,
            surprise: forecast.surprise)
    }
}

/// A clock that shows the newest time that it was set to.
private final class ReplayClock: WallClock {
    private let newest = Atomic<Int64>(0)

    func advance(to time: Timestamp) { newest.max(time.nanoseconds, ordering: .sequentiallyConsistent) }

    var now: Timestamp { Timestamp(nanoseconds: newest.load(ordering: .sequentiallyConsistent)) }

    /// The replay's time only moves forward.
    var monotonic: Int64 { now.nanoseconds }
}
