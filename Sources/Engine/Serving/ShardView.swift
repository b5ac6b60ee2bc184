import Forecasting
import Storage
public import TimeSeries

/// A read-only view of a shard for a question, valid on the shard's own thread.
struct ShardView {
    let series: ShardSeries
    let stepper: Stepper

    /// How often values lay inside the prediction intervals since the daemon started.
    let coverage: CoverageTotals
    private let forecastCache: ForecastCache

    init(series: ShardSeries, stepper: Stepper, coverage: CoverageTotals, forecastCache: ForecastCache) {
        self.series = series
        self.coverage = coverage
        self.stepper = stepper
        self.forecastCache = forecastCache
    }

    /// The forecast of `id` as of `now`; nil before the first.
    func forecast(of id: SeriesID, now: Timestamp, staleAfter: Slot = silence) -> SeriesForecast? {
        series[id].flatMap { Self.forecast(of: $0, stepper: stepper, now: now, staleAfter: staleAfter) }
    }

    /// The forecast of `id` as of `now`, which it also puts into the forecast cache; nil before the first.
    func forecastAndCache(of id: SeriesID, now: Timestamp) -> SeriesForecast? {
        guard let state = series[id], let forecast = forecast(of: id, now: now) else { return nil }
        if !forecast.forecast.isStale, state.cacheUse != .cached {
            forecastCache.insert(forecast, of: id, wasRead: true)
            state.cacheUse = .cached
        }
        return forecast
    }

    /// The number of slots without a reading after which a series is silent.
    static let silence: Slot = 5

    /// The forecast of `series`; nil before the first, and if the model's answer is missing or unusable.
    ///
    /// - Parameters:
    ///   - now: nil for the forecast from the open slot, even if it is old.
    ///   - staleAfter: the number of slots without a reading after which the forecast is rolled forward.
    ///   - history: the maximum number of history slots, including the open one.
    static func forecast(
        of series: SeriesHandle, stepper: Stepper, now: Timestamp?, staleAfter: Slot = silence,
        history count: Int = SeriesState.chartSlots
    ) -> SeriesForecast? {
        guard let runningState = series.runningState, let open = runningState.open, !open.isAbsent,
            let cadence = series.cadence
        else { return nil }
        let current = now.map { cadence.slot(of: $0) } ?? open.slot
        let isStale = current - open.slot > staleAfter
        let rolled = isStale ? stepper.rollForward(series, to: current) : nil
        let (version, specification) = (
            runningState.version.version, runningState.version.specification
        )
        let values = rolled?.values ?? Array(runningState.forecast)
        guard values.first?.isNaN == false else { return nil }
        let forecast = Forecast(
            origin: rolled?.origin ?? open.slot, cadence: cadence, quantiles: specification.quantiles,
            values: values, isStale: isStale)
        let surprise = runningState.model.surprise(of: Array(runningState.openState))
        return SeriesForecast(
            series: series.key, forecaster: version.forecaster, method: version.method,
            version: version.number, forecast: forecast, tail: surprise.tail, surprise: surprise.surprise,
            history: history(of: series, count))
    }

    /// What the experts of `id` forecast from the slot of `time`; nil before the first forecast.
    func experts(of id: SeriesID, at time: Timestamp) -> [ExpertForecast]? {
        guard let state = series[id], let runningState = state.runningState,
            let cadence = state.cadence,
            let expertForecasts = stepper.expertForecasts(on: state, at: cadence.slot(of: time))
        else { return nil }
        let count = runningState.version.specification.forecastCount
        return runningState.model.model.experts.enumerated().map { index, expert in
            ExpertForecast(
                name: expert.name.isEmpty ? runningState.version.version.method : expert.name,
                values: Array(expertForecasts[index * count..<(index + 1) * count]))
        }
    }

    private static func history(of series: SeriesHandle, _ count: Int) -> [(slot: Slot, value: Float)] {
        // A slot whose value is beyond the range of forecasters has none.
        guard let open = series.runningState?.open, !open.value.isNaN else { return series.values.suffix(count) }
        return series.values.suffix(count - 1) + [(open.slot, open.value)]
    }

    /// The running state of `id`, including the newest slot; nil before its first step.
    func state(of id: SeriesID) -> SeriesStateReport? {
        guard let state = series[id], let runningState = state.runningState,
            let cadence = state.cadence,
            let slot = runningState.open?.slot ?? runningState.headSlot
        else { return nil }
        let version = runningState.version.version
        return SeriesStateReport(
            series: state.key, forecaster: version.forecaster, method: version.method,
            version: version.number, position: state.absorbed, slot: slot, time: cadence.start(of: slot),
            values: runningState.newestState, modelCount: runningState.model.model.stateCount)
    }

    var all: some Sequence<SeriesHandle> { series.all }

    func cadence(of id: SeriesID) -> Cadence? { series[id]?.cadence }

    /// Whether the model of `id` did not respond to its newest step.
    func isAbsent(_ id: SeriesID) -> Bool { series[id]?.runningState?.open?.isAbsent ?? false }

    /// Whether the model of `id` responded to its newest step, perhaps without a usable forecast.
    func isAnswered(_ id: SeriesID) -> Bool { series[id]?.runningState?.open?.isAbsent == false }

    /// The epoch and the version that serve `id`.
    func assignment(of id: SeriesID) -> (epoch: Epoch, version: LoadedVersion)? {
        series[id]?.runningState.map { ($0.epoch, $0.version) }
    }

    func summary(of id: SeriesID) -> SeriesSummary? {
        guard let state = series[id] else { return nil }
        let (version, newest) = (state.runningState?.version.version, state.newest)
        return SeriesSummary(
            series: state.key, forecaster: version?.forecaster, method: version?.method,
            version: version?.number, cadence: state.cadence, newest: newest?.timestamp,
            newestValue: newest?.value, counts: state.counts)
    }
}

/// The forecast of one expert of a mix.
public struct ExpertForecast: Sendable {
    public var name: String
    /// `[horizon][quantiles]`.
    public var values: [Float]
}

/// A forecaster's running state for one series.
public struct SeriesStateReport: Sendable {
    public var series: SeriesKey
    public var forecaster: String
    public var method: String
    public var version: Int
    /// The highest journal position the state has absorbed.
    public var position: JournalPosition
    /// The newest slot that the state has stepped over.
    public var slot: Slot
    /// When ``slot`` begins.
    public var time: Timestamp
    /// `[stateCount]`: the model's own state, then the score state.
    public var values: [Float]
    /// Floats of the model's own state.
    public var modelCount: Int

    public var modelValues: [Float] { Array(values.prefix(modelCount)) }

    /// The state's bytes: little-endian float32.
    public var bytes: [UInt8] {
        values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
    }
}

/// One row of the list of series.
public struct SeriesSummary: Sendable {
    public var series: SeriesKey
    public var forecaster: String?
    public var method: String?
    public var version: Int?
    public var cadence: Cadence?
    public var newest: Timestamp?
    public var newestValue: Double?
    public var counts: SeriesCounts
}
