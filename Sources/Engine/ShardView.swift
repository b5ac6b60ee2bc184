import Forecasting
public import TimeSeries

/// What a question to a shard may look at, on the shard's own thread.
struct ShardView {
    let series: [SeriesID: SeriesState]
    let stepper: Stepper

    init(series: [SeriesID: SeriesState], stepper: Stepper) {
        self.series = series
        self.stepper = stepper
    }

    /// The forecast of `id` as of `now`; nil before the first.
    func forecast(of id: SeriesID, now: Timestamp) -> SeriesForecast? {
        series[id].flatMap { Self.forecast(of: $0, stepper: stepper, now: now) }
    }

    /// - Parameter now: nil for the forecast from the open slot, even if it is old.
    static func forecast(of state: SeriesState, stepper: Stepper, now: Timestamp?) -> SeriesForecast? {
        guard let track = state.track, let open = track.open, let cadence = state.cadence else { return nil }
        let silence: Slot = 5
        let current = now.map { cadence.slot(of: $0) } ?? open.slot
        let isStale = current - open.slot > silence
        let rolled = isStale ? stepper.rollForward(state, to: current) : nil
        let specification = track.version.specification
        let forecast = Forecast(
            origin: rolled?.origin ?? open.slot, cadence: cadence, quantiles: specification.quantiles,
            values: rolled?.values ?? open.forecast, isStale: isStale)
        let version = track.version.version
        return SeriesForecast(
            series: state.key, forecaster: version.forecaster, method: version.method, version: version.number,
            forecast: forecast, history: history(of: state))
    }

    private static func history(of state: SeriesState) -> [(slot: Slot, value: Float)] {
        let closed = zip(state.values.slots, state.values.values).suffix(SeriesState.shownSlots).map { ($0, $1) }
        guard let open = state.track?.open else { return closed }
        return closed + [(open.slot, open.value)]
    }

    /// The running state of `id`, the newest slot included; nil before its first step.
    func state(of id: SeriesID) -> SeriesStateReport? {
        guard let state = series[id], let track = state.track, let cadence = state.cadence,
            let slot = track.open?.slot ?? track.head.slot
        else { return nil }
        let version = track.version.version
        return SeriesStateReport(
            series: state.key, forecaster: version.forecaster, method: version.method, version: version.number,
            position: state.absorbed, slot: slot, time: cadence.start(of: slot),
            values: track.open?.state ?? track.head.state)
    }

    /// The version that serves `id`.
    func assignment(of id: SeriesID) -> LoadedVersion? { series[id]?.track?.version }

    func summary(of id: SeriesID) -> SeriesSummary? {
        guard let state = series[id] else { return nil }
        let version = state.track?.version.version
        return SeriesSummary(
            series: state.key, forecaster: version?.forecaster, method: version?.method, version: version?.number,
            cadence: state.cadence, newest: state.newest?.timestamp, newestValue: state.newest?.value,
            counts: state.counts)
    }
}

/// A forecaster's running state for one series.
public struct SeriesStateReport: Sendable {
    public var series: SeriesKey
    public var forecaster: String
    public var method: String
    public var version: Int
    /// The highest journal position the state has absorbed.
    public var position: JournalPosition
    /// The newest slot the state has stepped over, and when it begins.
    public var slot: Slot
    public var time: Timestamp
    /// `[stateCount]`.
    public var values: [Float]

    /// The state's bytes: little-endian float32.
    public var bytes: [UInt8] {
        values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
    }
}

/// One line of the list of series.
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
