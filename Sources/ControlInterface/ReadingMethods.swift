/// The messages of the methods that change nothing.
extension Control {
    /// The state of the daemon. Coverage is counted since it started, as are the
    /// forecasts, by forecaster, that were left out because their model gave numbers
    /// that are not finite or beyond 1e30.
    public enum GetStatus {
        public struct Reply: Codable, Sendable {
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
    }

    /// Verifies every checksum and SQLite's own structures. Findings have one
    /// sentence for each damaged item, with what to do. Remarks are about things that
    /// are not damage, such as corrections that an earlier version showed wrongly.
    /// Takes a while on a large database.
    public enum Examine {
        public struct Reply: Codable, Sendable {
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
    }

    /// The selected series; all without a selector.
    public enum ListSeries {
        public struct Request: Codable, Sendable {
            public var selector: String?

            public init(selector: String? = nil) {
                self.selector = selector
            }
        }

        public struct Reply: Codable, Sendable {
            public var series: [Series]

            public init(series: [Series]) {
                self.series = series
            }
        }
    }

    /// The newest forecast of a series, with at most this many points of history, 120
    /// by default. Refused while its model gives no finite numbers.
    public enum GetForecast {
        public struct Request: Codable, Sendable {
            public var series: String
            public var history: Int?

            public init(series: String, history: Int? = nil) {
                self.series = series
                self.history = history
            }
        }

        public struct Reply: Codable, Sendable {
            public var forecast: Forecast

            public init(forecast: Forecast) {
                self.forecast = forecast
            }
        }
    }

    /// Explains a model and its running state. The findings are about the newest
    /// steps; coverage is the share of the values since then that lay inside the
    /// forecasts' outermost interval, and interval is what it should be.
    public enum Explain {
        public struct Request: Codable, Sendable {
            public var series: String

            public init(series: String) {
                self.series = series
            }
        }

        public struct Reply: Codable, Sendable {
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
    }

    /// How accurate the forecasts of the selected series were between two times.
    public enum GetScores {
        public struct Request: Codable, Sendable {
            public var selector: String?
            public var start: String?
            public var end: String?

            public init(selector: String? = nil, start: String? = nil, end: String? = nil) {
                self.selector = selector
                self.start = start
                self.end = end
            }
        }

        public struct Reply: Codable, Sendable {
            public var series: [SeriesScores]

            public init(series: [SeriesScores]) {
                self.series = series
            }
        }
    }

    /// Events of the selected series: forecasts as they are made, anomalies when
    /// their slot has closed, and changes of the model. Each reply has one event; a
    /// forecast has only the newest point of history. If a watcher reads too slowly,
    /// "dropped" says how many events it missed, and the stream continues; in the
    /// last reply, "dropped" has the reason why the stream ends. Needs more.
    public enum Watch {
        public struct Request: Codable, Sendable {
            public var selector: String?

            public init(selector: String? = nil) {
                self.selector = selector
            }
        }

        public struct Reply: Codable, Sendable {
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
    }

    /// The configured forecasters.
    public enum ListForecasters {
        public struct Reply: Codable, Sendable {
            public var forecasters: [Forecaster]

            public init(forecasters: [Forecaster]) {
                self.forecasters = forecasters
            }
        }
    }

    /// The model versions of a forecaster, oldest first.
    public enum ListModels {
        public struct Request: Codable, Sendable {
            public var forecaster: String

            public init(forecaster: String) {
                self.forecaster = forecaster
            }
        }

        public struct Reply: Codable, Sendable {
            public var models: [Model]

            public init(models: [Model]) {
                self.models = models
            }
        }
    }

    /// The newest training runs and model changes of a forecaster, oldest first: 100, or up to 1000.
    public enum ListModelEvents {
        public struct Request: Codable, Sendable {
            public var forecaster: String
            public var limit: Int?

            public init(forecaster: String, limit: Int? = nil) {
                self.forecaster = forecaster
                self.limit = limit
            }
        }

        public struct Reply: Codable, Sendable {
            public var events: [ModelEvent]

            public init(events: [ModelEvent]) {
                self.events = events
            }
        }
    }

    /// The running state of a series: the model that made it, how far it has come,
    /// and the SHA-256 of its bytes (little-endian float32).
    public enum GetState {
        public struct Request: Codable, Sendable {
            public var series: String

            public init(series: String) {
                self.series = series
            }
        }

        public struct Reply: Codable, Sendable {
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
    }

    /// Readings of the selected series, as csv, line or json. Needs more.
    public enum Export {
        public struct Request: Codable, Sendable {
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

        public struct Reply: Codable, Sendable {
            public var data: String

            public init(data: String) {
                self.data = data
            }
        }
    }

    /// The plugins that were found, by name; absent counts steps without an answer.
    public enum ListPlugins {
        public struct Reply: Codable, Sendable {
            public var plugins: [Plugin]

            public init(plugins: [Plugin]) {
                self.plugins = plugins
            }
        }
    }
}
