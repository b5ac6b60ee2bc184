public import Forecasting
import Storage
public import TimeSeries

/// The engine's configuration; the daemon reads it from `nilod.toml`.
public struct EngineConfiguration: Sendable {
    public var forecasters: [ForecasterConfiguration]
    public var series: [SeriesRule]
    /// How long a non-urgent reading may wait to share a group commit, in nanoseconds.
    public var commitDelay: Int64
    /// The minimum time that readings are kept, in nanoseconds; nil keeps them forever.
    public var retention: Int64?
    /// The number of journal readings at which they are moved into chunks.
    public var sealAfter: Int
    /// The maximum number of series; readings of further series are refused.
    public var maxSeries: Int
    /// How long a series may be silent before it is removed, in nanoseconds; nil: never removed.
    public var silentSeriesTTL: Int64?
    public var shardCount: Int
    public var calendar: LocalCalendar
    /// The memory that the events waiting for watchers may use, in bytes: all together; those of one watcher half of it.
    ///
    /// A commit of 40,000 series with six leads of three quantiles fits.
    package var watcherMemory = 128 << 20
    /// Looks up the calendar of another time zone, which a state from before a restart may still use; nil if unknown.
    public var otherCalendar: @Sendable (_ name: String) -> LocalCalendar? = { _ in nil }

    public init(
        forecasters: [ForecasterConfiguration], series: [SeriesRule] = [], commitDelay: Int64 = 2_000_000_000,
        retention: Int64? = nil, sealAfter: Int = 1_000_000, maxSeries: Int = 100_000, silentSeriesTTL: Int64? = nil,
        shardCount: Int = 1, calendar: LocalCalendar = .utc
    ) {
        self.forecasters = forecasters
        self.series = series
        self.commitDelay = commitDelay
        self.retention = retention
        self.sealAfter = sealAfter
        self.maxSeries = maxSeries
        self.silentSeriesTTL = silentSeriesTTL
        self.shardCount = shardCount
        self.calendar = calendar
    }

    func calendar(named name: String) -> LocalCalendar? {
        name == calendar.name ? calendar : name == LocalCalendar.utc.name ? .utc : otherCalendar(name)
    }

    /// The forecaster of a series: the first in the configuration that selects it.
    func forecaster(for key: SeriesKey) -> ForecasterConfiguration? {
        forecasters.first { $0.selectors.contains { $0.matches(key) } }
    }

    /// The settings that the state of a series depends on, besides its model and readings.
    func setting(of key: SeriesKey, _ forecaster: ForecasterConfiguration) -> EpochSetting {
        EpochSetting(maxGap: forecaster.maxGap, timeZone: calendar.name, aggregate: rule(for: key).aggregate)
    }

    /// The rule of a series: the first in the configuration that selects it, otherwise the defaults.
    func rule(for key: SeriesKey) -> SeriesRule {
        series.first { $0.selector.matches(key) } ?? SeriesRule(selector: .all)
    }
}

/// The declared properties of the series that a selector matches.
public struct SeriesRule: Sendable, Hashable {
    public var selector: SeriesSelector
    /// nil: inferred from the first 17 readings.
    public var cadence: Cadence?
    public var aggregate: Aggregate
    /// How late a reading may be and still change the state, in nanoseconds; nil: the longer of one hour and 64 slots.
    public var lateness: Int64?
    /// The minimum time that readings are kept, in nanoseconds; nil: ``EngineConfiguration/retention``.
    public var retention: Int64?

    public init(
        selector: SeriesSelector, cadence: Cadence? = nil, aggregate: Aggregate = .mean, lateness: Int64? = nil,
        retention: Int64? = nil
    ) {
        self.selector = selector
        self.cadence = cadence
        self.aggregate = aggregate
        self.lateness = lateness
        self.retention = retention
    }

    /// The lateness in slots of `cadence`, at least 1.
    func latenessSlots(of cadence: Cadence) -> Int {
        let hour: Int64 = 3_600_000_000_000
        guard let lateness else { return max(64, Int(clamping: hour / cadence.nanoseconds)) }
        return max(1, Int(clamping: lateness / cadence.nanoseconds))
    }
}

/// One `[[forecaster]]` of the configuration.
public struct ForecasterConfiguration: Sendable, Hashable {
    public var name: String
    /// The method that is trained, or that serves without training.
    public var method: String
    public var selectors: [SeriesSelector]
    public var horizon: Int
    public var quantiles: QuantileLevels
    /// Parameters per method: the forecaster's own and those of its opponents.
    public var parameters: [String: Parameters]
    /// Methods without training: the first serves until the first promotion, and all compete on the holdout.
    public var opponents: [String]
    public var retrain: RetrainRule
    /// The number of newest slots that a training run uses.
    public var trainingSlots: Int
    /// The number of slots that are replayed under a new version before it serves.
    public var warmUpSlots: Int
    /// The fraction of the training slots that is held out to compare models, 0 < holdout < 1.
    public var holdout: Double
    /// The relative improvement over the serving model that a challenger needs: 0.01 is one per cent.
    public var margin: Double
    /// The maximum number of consecutive missing slots that a model is stepped through.
    public var maxGap: Int
    /// How many of the newest versions keep their weights, besides those that serve and rollback targets.
    public var keepVersions = 4
    /// Whether training starts from the champion's weights, if its method and parameters are the same, or from scratch.
    public var startsFromChampion = false
    /// Retrain when the median series' ratio of recent to long-term loss exceeds this; nil: no drift detection.
    public var driftRatio: Double?
    /// The minimum time from a training run to one that drift starts, in nanoseconds.
    public var driftCooldown: Int64 = 21_600_000_000_000
    /// The tail probability below which a closed slot is an anomaly; nil: no anomaly detection.
    public var anomaly: Double?
    /// How long after an anomaly of a series only a far less probable one is reported, in nanoseconds.
    public var anomalyCooldown: Int64 = 3_600_000_000_000

    public init(
        name: String, method: String, selectors: [SeriesSelector], horizon: Int, quantiles: QuantileLevels,
        parameters: [String: Parameters] = [:], opponents: [String] = ["holt-winters", "seasonal-naive"],
        retrain: RetrainRule = .never, trainingSlots: Int = 4_096, warmUpSlots: Int = 512, holdout: Double = 0.2,
        margin: Double = 0.01, maxGap: Int = 512
    ) {
        self.name = name
        self.method = method
        self.selectors = selectors
        self.horizon = horizon
        self.quantiles = quantiles
        self.parameters = parameters
        self.opponents = opponents
        self.retrain = retrain
        self.trainingSlots = trainingSlots
        self.warmUpSlots = warmUpSlots
        self.holdout = holdout
        self.margin = margin
        self.maxGap = maxGap
    }

    /// The specification that a method runs with for this forecaster.
    public func specification(of method: Manifest) -> ForecastSpecification {
        var own = parameters[method.name] ?? [:]
        if method.name == MixMethod.name {
            for member in MixMethod.members(own, of: method) {
                for (name, value) in parameters[member] ?? [:] { own["\(member).\(name)"] = value }
            }
        }
        return ForecastSpecification(horizon: horizon, quantiles: quantiles, parameters: own)
    }
}
