/// `ControlInterface`: the messages of `org.nilometer.Control`. Names and types are those of the interface file.

/// The interface: its name, its text and its errors.
public enum Control {
    public static let name = "org.nilometer.Control"
    public static let defaultSocket = "/run/nilometer/nilod.sock"

    /// The interface file.
    public static var description: String {
        String(decoding: PackageResources.org_nilometer_Control_varlink, as: UTF8.self)
    }

    /// The qualified name of a method or an error.
    public static func qualified(_ bare: String) -> String { "\(name).\(bare)" }
}

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

/// The replies, by method.
public enum Reply {
    public struct GetStatus: Codable, Sendable {
        public var version: String
        public var pid: Int
        public var kernels: String
        public var uptimeSeconds: Double
        public var database: String
        public var databaseBytes: Int
        public var journalReadings: Int
        public var series: Int
        public var accepted: Int
        public var late: Int
        public var refused: [String: Int]
        public var backlog: Int
        public var watchers: Int
        public var storageFull: Bool
        public var clockSet: Bool
        public var training: String?

        public init(
            version: String, pid: Int, kernels: String, uptimeSeconds: Double, database: String, databaseBytes: Int,
            journalReadings: Int, series: Int, accepted: Int, late: Int, refused: [String: Int], backlog: Int,
            watchers: Int, storageFull: Bool, clockSet: Bool, training: String? = nil
        ) {
            self.version = version
            self.pid = pid
            self.kernels = kernels
            self.uptimeSeconds = uptimeSeconds
            self.database = database
            self.databaseBytes = databaseBytes
            self.journalReadings = journalReadings
            self.series = series
            self.accepted = accepted
            self.late = late
            self.refused = refused
            self.backlog = backlog
            self.watchers = watchers
            self.storageFull = storageFull
            self.clockSet = clockSet
            self.training = training
        }
    }

    public struct ListSeries: Codable, Sendable {
        public var series: [Series]

        public init(series: [Series]) {
            self.series = series
        }
    }

    public struct Ingest: Codable, Sendable {
        public var accepted: Int
        public var late: Int
        public var skipped: Int
        public var refused: Int
        public var problems: [Problem]
        public var position: Int

        public init(accepted: Int, late: Int, skipped: Int, refused: Int, problems: [Problem], position: Int) {
            self.accepted = accepted
            self.late = late
            self.skipped = skipped
            self.refused = refused
            self.problems = problems
            self.position = position
        }
    }

    public struct GetForecast: Codable, Sendable {
        public var forecast: Forecast

        public init(forecast: Forecast) {
            self.forecast = forecast
        }
    }

    public struct Watch: Codable, Sendable {
        public var forecast: Forecast?
        public var model: String?
        public var dropped: String?

        public init(forecast: Forecast? = nil, model: String? = nil, dropped: String? = nil) {
            self.forecast = forecast
            self.model = model
            self.dropped = dropped
        }
    }

    public struct ListForecasters: Codable, Sendable {
        public var forecasters: [Forecaster]

        public init(forecasters: [Forecaster]) {
            self.forecasters = forecasters
        }
    }

    public struct Retrain: Codable, Sendable {
        public var phase: String
        public var done: Int
        public var total: Int
        public var loss: Double?
        public var text: String
        public var version: Int?
        public var promoted: Int

        public init(
            phase: String, done: Int, total: Int, loss: Double? = nil, text: String, version: Int? = nil, promoted: Int
        ) {
            self.phase = phase
            self.done = done
            self.total = total
            self.loss = loss
            self.text = text
            self.version = version
            self.promoted = promoted
        }
    }

    public struct ListModels: Codable, Sendable {
        public var models: [Model]

        public init(models: [Model]) {
            self.models = models
        }
    }
    public struct Promote: Codable, Sendable {
        public var series: Int

        public init(series: Int) {
            self.series = series
        }
    }
    public struct Rollback: Codable, Sendable {
        public var series: Int

        public init(series: Int) {
            self.series = series
        }
    }

    public struct GetState: Codable, Sendable {
        public var series: String
        public var forecaster: String
        public var method: String
        public var modelVersion: Int
        public var position: Int
        public var slot: Int
        public var time: String
        public var bytes: Int
        public var sha256: String

        public init(
            series: String, forecaster: String, method: String, modelVersion: Int, position: Int, slot: Int,
            time: String, bytes: Int, sha256: String
        ) {
            self.series = series
            self.forecaster = forecaster
            self.method = method
            self.modelVersion = modelVersion
            self.position = position
            self.slot = slot
            self.time = time
            self.bytes = bytes
            self.sha256 = sha256
        }
    }

    public struct Reset: Codable, Sendable { public init() {} }
    public struct Export: Codable, Sendable {
        public var data: String

        public init(data: String) {
            self.data = data
        }
    }
    public struct Backup: Codable, Sendable {
        public var data: String
        public var done: Double

        public init(data: String, done: Double) {
            self.data = data
            self.done = done
        }
    }
    public struct Forget: Codable, Sendable {
        public var removed: [String]

        public init(removed: [String]) {
            self.removed = removed
        }
    }
    public struct Reload: Codable, Sendable {
        public var text: String

        public init(text: String) {
            self.text = text
        }
    }
}

/// The questions, by method.
public enum Question {
    public struct Selected: Codable, Sendable {
        public var selector: String?

        public init(selector: String? = nil) {
            self.selector = selector
        }
    }
    public struct Ingest: Codable, Sendable {
        public var text: String
        public var format: String?
        public var precision: String?
        public var firstLine: Int?

        public init(text: String, format: String? = nil, precision: String? = nil, firstLine: Int? = nil) {
            self.text = text
            self.format = format
            self.precision = precision
            self.firstLine = firstLine
        }
    }
    public struct OfSeries: Codable, Sendable {
        public var series: String

        public init(series: String) {
            self.series = series
        }
    }
    public struct OfForecaster: Codable, Sendable {
        public var forecaster: String

        public init(forecaster: String) {
            self.forecaster = forecaster
        }
    }
    public struct Promote: Codable, Sendable {
        public var forecaster: String
        public var version: Int

        public init(forecaster: String, version: Int) {
            self.forecaster = forecaster
            self.version = version
        }
    }
    public struct Reset: Codable, Sendable {
        public var series: String
        public var warm: Bool

        public init(series: String, warm: Bool) {
            self.series = series
            self.warm = warm
        }
    }
    public struct Export: Codable, Sendable {
        public var selector: String
        public var start: String?
        public var end: String?
        public var format: String?

        public init(selector: String, start: String? = nil, end: String? = nil, format: String? = nil) {
            self.selector = selector
            self.start = start
            self.end = end
            self.format = format
        }
    }
    public struct Forget: Codable, Sendable {
        public var selector: String

        public init(selector: String) {
            self.selector = selector
        }
    }
}
