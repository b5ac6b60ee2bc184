public import Varlink

/// The parameters of the calls of `org.nilometer.Forecaster`, by method; the interface file documents them.
public enum ForecasterQuestion {
    public struct Load: Codable, Sendable {
        public var model: String
        public var specification: ForecasterSpecification
        public var weights: String?

        public init(model: String, specification: ForecasterSpecification, weights: String? = nil) {
            (self.model, self.specification, self.weights) = (model, specification, weights)
        }
    }

    public struct Unload: Codable, Sendable {
        public var model: String

        public init(model: String) {
            self.model = model
        }
    }

    public struct Advance: Codable, Sendable {
        public var model: String
        public var count: Int
        public var states: String
        public var series: String
        public var values: String
        public var lagged: String
        public var localSeconds: String
        public var cadence: String
        public var wantsForecasts: Bool

        public init(
            model: String, count: Int, states: String, series: String, values: String, lagged: String,
            localSeconds: String, cadence: String, wantsForecasts: Bool
        ) {
            (self.model, self.count, self.states, self.series) = (model, count, states, series)
            (self.values, self.lagged, self.localSeconds) = (values, lagged, localSeconds)
            (self.cadence, self.wantsForecasts) = (cadence, wantsForecasts)
        }
    }

    public struct Train: Codable, Sendable {
        public var panel: String
        public var index: String
        public var specification: ForecasterSpecification
        public var from: String?
        public var weights: String

        public init(
            panel: String, index: String, specification: ForecasterSpecification, from: String? = nil, weights: String
        ) {
            (self.panel, self.index, self.specification) = (panel, index, specification)
            (self.from, self.weights) = (from, weights)
        }
    }
}

/// The replies of `org.nilometer.Forecaster`, by method; the interface file documents them.
public enum ForecasterReply {
    public struct Describe: Codable, Sendable {
        public var contract: Int
        public var name: String
        public var version: String
        public var capabilities: [String]

        public init(contract: Int, name: String, version: String, capabilities: [String]) {
            (self.contract, self.name, self.version, self.capabilities) = (contract, name, version, capabilities)
        }
    }

    public struct Load: Codable, Sendable, Hashable {
        public var stateCount: Int
        public var lags: [Int]
        public var experts: [ForecasterExpert]
        public var initialState: String
        public var summary: String

        public init(
            stateCount: Int, lags: [Int], experts: [ForecasterExpert], initialState: String, summary: String
        ) {
            (self.stateCount, self.lags, self.experts) = (stateCount, lags, experts)
            (self.initialState, self.summary) = (initialState, summary)
        }
    }

    public struct Unload: Codable, Sendable { public init() {} }

    public struct Advance: Codable, Sendable {
        public var states: String
        public var forecasts: String

        public init(states: String, forecasts: String) {
            (self.states, self.forecasts) = (states, forecasts)
        }
    }

    public struct Train: Codable, Sendable {
        public var done: Int
        public var total: Int
        public var loss: Double
        public var metrics: [String: Double]?

        public init(done: Int, total: Int, loss: Double, metrics: [String: Double]? = nil) {
            (self.done, self.total, self.loss, self.metrics) = (done, total, loss, metrics)
        }
    }
}

/// The forecast specification of a method, as sent over the wire.
public struct ForecasterSpecification: Codable, Sendable {
    public var horizon: Int
    public var quantiles: [Double]
    /// A JSON object.
    public var parameters: JSONValue

    public init(horizon: Int, quantiles: [Double], parameters: JSONValue) {
        (self.horizon, self.quantiles, self.parameters) = (horizon, quantiles, parameters)
    }
}

/// One of the forecasts of a model, and its initial weight in the mix.
public struct ForecasterExpert: Codable, Sendable, Hashable {
    public var name: String
    public var prior: Double

    public init(name: String, prior: Double) {
        (self.name, self.prior) = (name, prior)
    }
}
