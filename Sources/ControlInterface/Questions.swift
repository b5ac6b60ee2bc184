/// The parameters of the calls, by method; org.nilometer.Control.varlink documents them.
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
    public struct Forecast: Codable, Sendable {
        public var series: String
        public var history: Int?

        public init(series: String, history: Int? = nil) {
            self.series = series
            self.history = history
        }
    }
    public struct OfForecaster: Codable, Sendable {
        public var forecaster: String

        public init(forecaster: String) {
            self.forecaster = forecaster
        }
    }
    public struct ListModelEvents: Codable, Sendable {
        public var forecaster: String
        public var limit: Int?

        public init(forecaster: String, limit: Int? = nil) {
            self.forecaster = forecaster
            self.limit = limit
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
    public struct GetScores: Codable, Sendable {
        public var selector: String?
        public var start: String?
        public var end: String?

        public init(selector: String? = nil, start: String? = nil, end: String? = nil) {
            self.selector = selector
            self.start = start
            self.end = end
        }
    }
    public struct Forget: Codable, Sendable {
        public var selector: String

        public init(selector: String) {
            self.selector = selector
        }
    }
}
