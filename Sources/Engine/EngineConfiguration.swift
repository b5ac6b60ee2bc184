public import Forecasting
import Storage
public import TimeSeries

/// What the engine needs to know; the daemon reads it from `nilod.toml`.
public struct EngineConfiguration: Sendable {
    public var forecasters: [ForecasterConfiguration]
    public var series: [SeriesRule]
    /// How long a reading nobody waits for may wait for company in one group commit, in nanoseconds.
    public var commitDelay: Int64
    /// How long readings are kept at least, in nanoseconds; nil keeps them for ever.
    public var retention: Int64?
    /// Readings in the journal before they are moved into chunks.
    public var sealAfter: Int
    /// Readings of series beyond so many are refused.
    public var maxSeries: Int
    /// How long a series may be silent before it is forgotten, in nanoseconds; nil: for ever.
    public var silentSeriesTTL: Int64?
    public var shardCount: Int
    public var calendar: LocalCalendar
    /// Finds the local clock of another time zone, as states may still have that the daemon stopped with; nil: not known.
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

    /// The forecaster of a series: the first of the configuration that selects it.
    func forecaster(for key: SeriesKey) -> ForecasterConfiguration? {
        forecasters.first { $0.selectors.contains { $0.matches(key) } }
    }

    /// What the state of a series depends on beside its model and readings.
    func setting(of key: SeriesKey, _ forecaster: ForecasterConfiguration) -> EpochSetting {
        EpochSetting(maxGap: forecaster.maxGap, timeZone: calendar.name, aggregate: rule(for: key).aggregate)
    }

    /// What the configuration declares about a series: the first rule that selects it, else the defaults.
    func rule(for key: SeriesKey) -> SeriesRule {
        series.first { $0.selector.matches(key) } ?? SeriesRule(selector: .all)
    }
}

/// Declarations about the series of one selector.
public struct SeriesRule: Sendable, Hashable {
    public var selector: SeriesSelector
    /// nil: inferred from the first readings.
    public var cadence: Cadence?
    public var aggregate: Aggregate
    /// How long a reading may be late, in nanoseconds; nil: the longer of one hour and 64 slots.
    public var lateness: Int64?
    /// How long readings are kept at least, in nanoseconds; nil: as the configuration says for all.
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
    /// The method that is trained, or that serves as it is.
    public var method: String
    public var selectors: [SeriesSelector]
    public var horizon: Int
    public var quantiles: QuantileLevels
    /// Parameters per method: the forecaster's own and those of its opponents.
    public var parameters: [String: Parameters]
    /// Methods without training: the first serves until the first promotion, all of them are opponents on the holdout.
    public var opponents: [String]
    public var retrain: RetrainRule
    /// The newest slots that a training run sees.
    public var trainingSlots: Int
    /// The slots that are replayed under new weights before they serve.
    public var warmUpSlots: Int
    /// The part of the training slots that is held out to compare models on, 0 < holdout < 1.
    public var holdout: Double
    /// How much better than the serving model a challenger must be: .01 is one per cent.
    public var margin: Double
    /// The longest run of missing slots that a model is stepped through.
    public var maxGap: Int
    /// The newest versions whose weights stay, beside those that serve or that a rollback would go back to.
    public var keepVersions = 4
    /// Whether training goes on from the champion's weights, if it has the same method and parameters, or begins anew.
    public var startsFromChampion = false
    /// Train when the median series' recent loss is so many times that of long ago; nil: never for this reason.
    public var driftRatio: Double?
    /// How long after a training run, in nanoseconds, drift starts no other.
    public var driftCooldown: Int64 = 21_600_000_000_000
    /// The tail probability below which a closed slot is an anomaly; nil: none is.
    public var anomaly: Double?
    /// How long after an anomaly of a series, in nanoseconds, only a far less probable one is told.
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

    /// What is asked of a method when it runs for this forecaster.
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
