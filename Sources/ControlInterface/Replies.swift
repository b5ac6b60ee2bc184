/// The replies, by method; org.nilometer.Control.varlink documents them.
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
        public var expiredSeries: Int
        public var unusableForecasts: [String: Int]
        public var coverage: [ForecasterCoverage]
        public var sinks: [Sink]

        public init(
            version: String, pid: Int, kernels: String, uptimeSeconds: Double, database: String, databaseBytes: Int,
            journalReadings: Int, series: Int, accepted: Int, late: Int, refused: [String: Int], backlog: Int,
            watchers: Int, storageFull: Bool, clockSet: Bool, training: String? = nil, expiredSeries: Int,
            unusableForecasts: [String: Int], coverage: [ForecasterCoverage], sinks: [Sink]
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
            self.expiredSeries = expiredSeries
            self.unusableForecasts = unusableForecasts
            self.coverage = coverage
            self.sinks = sinks
        }
    }

    public struct Examine: Codable, Sendable {
        public var findings: [String]
        public var chunks: Int
        public var chunkBytes: Int
        /// What an operator should know, though it is not damage.
        public var remarks: [String]

        public init(findings: [String], chunks: Int, chunkBytes: Int, remarks: [String]) {
            self.findings = findings
            self.remarks = remarks
            self.chunks = chunks
            self.chunkBytes = chunkBytes
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

    public struct GetScores: Codable, Sendable {
        public var series: [SeriesScores]

        public init(series: [SeriesScores]) {
            self.series = series
        }
    }

    public struct Watch: Codable, Sendable {
        public var forecast: Forecast?
        public var anomaly: Anomaly?
        public var model: String?
        public var dropped: String?

        public init(
            forecast: Forecast? = nil, anomaly: Anomaly? = nil, model: String? = nil, dropped: String? = nil
        ) {
            self.forecast = forecast
            self.anomaly = anomaly
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
    public struct ListModelEvents: Codable, Sendable {
        public var events: [ModelEvent]

        public init(events: [ModelEvent]) {
            self.events = events
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

    public struct Explain: Codable, Sendable {
        public var series: String
        public var forecaster: String
        public var method: String
        public var modelVersion: Int
        public var summary: String
        public var steps: Int
        public var coverage: Double?
        public var compared: Int
        public var interval: Double
        public var findings: [Finding]

        public init(
            series: String, forecaster: String, method: String, modelVersion: Int, summary: String, steps: Int,
            coverage: Double? = nil, compared: Int, interval: Double, findings: [Finding]
        ) {
            self.series = series
            self.forecaster = forecaster
            self.method = method
            self.modelVersion = modelVersion
            self.summary = summary
            self.steps = steps
            self.coverage = coverage
            self.compared = compared
            self.interval = interval
            self.findings = findings
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
    public struct Expire: Codable, Sendable {
        public var time: String

        public init(time: String) {
            self.time = time
        }
    }
    public struct ListPlugins: Codable, Sendable {
        public var plugins: [Plugin]

        public init(plugins: [Plugin]) {
            self.plugins = plugins
        }
    }
    public struct Reload: Codable, Sendable {
        public var text: String

        public init(text: String) {
            self.text = text
        }
    }
}
