// The named types of the interface; org.nilometer.Control.varlink documents them.

public struct Series: Codable, Sendable {
    public var name: String
    public var forecaster: String?
    public var method: String?
    public var modelVersion: Int?
    public var cadenceSeconds: Double?
    public var newest: String?
    public var newestValue: Double?
    public var readings: Int
    public var corrected: Int
    public var repeated: Int
    public var late: Int

    public init(
        name: String, forecaster: String? = nil, method: String? = nil, modelVersion: Int? = nil,
        cadenceSeconds: Double? = nil, newest: String? = nil, newestValue: Double? = nil, readings: Int, corrected: Int,
        repeated: Int, late: Int
    ) {
        self.name = name
        self.forecaster = forecaster
        self.method = method
        self.modelVersion = modelVersion
        self.cadenceSeconds = cadenceSeconds
        self.newest = newest
        self.newestValue = newestValue
        self.readings = readings
        self.corrected = corrected
        self.repeated = repeated
        self.late = late
    }
}

public struct Problem: Codable, Sendable {
    public var line: Int
    public var column: Int
    public var reason: String

    public init(line: Int, column: Int, reason: String) {
        self.line = line
        self.column = column
        self.reason = reason
    }
}

public struct Lead: Codable, Sendable {
    public var lead: Int
    public var time: String
    public var values: [Float]

    public init(lead: Int, time: String, values: [Float]) {
        self.lead = lead
        self.time = time
        self.values = values
    }
}

public struct Point: Codable, Sendable {
    public var time: String
    public var value: Float

    public init(time: String, value: Float) {
        self.time = time
        self.value = value
    }
}

public struct Forecast: Codable, Sendable {
    public var series: String
    public var forecaster: String
    public var method: String
    public var modelVersion: Int
    public var origin: String
    public var cadenceSeconds: Double
    public var quantiles: [Double]
    public var leads: [Lead]
    public var stale: Bool
    public var history: [Point]

    public init(
        series: String, forecaster: String, method: String, modelVersion: Int, origin: String, cadenceSeconds: Double,
        quantiles: [Double], leads: [Lead], stale: Bool, history: [Point]
    ) {
        self.series = series
        self.forecaster = forecaster
        self.method = method
        self.modelVersion = modelVersion
        self.origin = origin
        self.cadenceSeconds = cadenceSeconds
        self.quantiles = quantiles
        self.leads = leads
        self.stale = stale
        self.history = history
    }
}

public struct Forecaster: Codable, Sendable {
    public var name: String
    public var method: String
    public var selectors: [String]
    public var opponents: [String]
    public var horizon: Int
    public var quantiles: [Double]
    public var retrain: String
    public var nextDue: String?
    public var lastOutcome: String?
    public var series: Int

    public init(
        name: String, method: String, selectors: [String], opponents: [String], horizon: Int, quantiles: [Double],
        retrain: String, nextDue: String? = nil, lastOutcome: String? = nil, series: Int
    ) {
        self.name = name
        self.method = method
        self.selectors = selectors
        self.opponents = opponents
        self.horizon = horizon
        self.quantiles = quantiles
        self.retrain = retrain
        self.nextDue = nextDue
        self.lastOutcome = lastOutcome
        self.series = series
    }
}

public struct Score: Codable, Sendable {
    public var contender: String
    public var pinball: Double
    public var mase: Double
    public var series: Int
    public var wins: Int

    public init(contender: String, pinball: Double, mase: Double, series: Int, wins: Int) {
        self.contender = contender
        self.pinball = pinball
        self.mase = mase
        self.series = series
        self.wins = wins
    }
}

/// How a training run ended, or a change of what serves some series.
public struct ModelEvent: Codable, Sendable {
    public var at: String
    /// "training", "failure", "change" or "refusal".
    public var kind: String
    public var version: Int?
    public var series: Int
    public var text: String

    public init(at: String, kind: String, version: Int? = nil, series: Int, text: String) {
        self.at = at
        self.kind = kind
        self.version = version
        self.series = series
        self.text = text
    }
}

public struct Model: Codable, Sendable {
    public var version: Int
    public var method: String
    public var created: String
    public var champion: Bool
    public var serves: Int
    public var bytes: Int
    public var windowStart: String?
    public var windowEnd: String?
    public var holdout: [Score]
    public var parameters: String

    public init(
        version: Int, method: String, created: String, champion: Bool, serves: Int, bytes: Int,
        windowStart: String? = nil, windowEnd: String? = nil, holdout: [Score], parameters: String
    ) {
        self.version = version
        self.method = method
        self.created = created
        self.champion = champion
        self.serves = serves
        self.bytes = bytes
        self.windowStart = windowStart
        self.windowEnd = windowEnd
        self.holdout = holdout
        self.parameters = parameters
    }
}

public struct Plugin: Codable, Sendable {
    public var name: String
    public var version: String?
    public var folder: String
    public var state: String
    public var pid: Int?
    public var models: Int
    public var calls: Int
    public var absent: Int
    public var restarts: Int
    public var lastError: String?

    public init(
        name: String, version: String? = nil, folder: String, state: String, pid: Int? = nil, models: Int, calls: Int,
        absent: Int, restarts: Int, lastError: String? = nil
    ) {
        self.name = name
        self.version = version
        self.folder = folder
        self.state = state
        self.pid = pid
        self.models = models
        self.calls = calls
        self.absent = absent
        self.restarts = restarts
        self.lastError = lastError
    }
}

public struct Sink: Codable, Sendable {
    public var name: String
    public var written: Int
    public var dropped: Int
    public var restarts: Int
    public var lastError: String?

    public init(name: String, written: Int, dropped: Int, restarts: Int, lastError: String? = nil) {
        self.name = name
        self.written = written
        self.dropped = dropped
        self.restarts = restarts
        self.lastError = lastError
    }
}

public struct Finding: Codable, Sendable {
    public var name: String
    public var value: Double
    public var unit: String
    public var meaning: String

    public init(name: String, value: Double, unit: String, meaning: String) {
        self.name = name
        self.value = value
        self.unit = unit
        self.meaning = meaning
    }
}
