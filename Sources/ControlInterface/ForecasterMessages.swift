public import Varlink

/// The messages of `org.nilometer.Forecaster`, by method.
extension ForecasterInterface {
    /// Identifies the plugin, as in plugin.toml. The contract is 1; the capability
    /// "train" says that Train is implemented.
    public enum Describe {
        public struct Reply: Codable, Sendable {
            public var contract: Int
            public var name: String
            public var version: String
            public var capabilities: [String]

            public init(contract: Int, name: String, version: String, capabilities: [String]) {
                (self.contract, self.name, self.version, self.capabilities) = (contract, name, version, capabilities)
            }
        }
    }

    /// Loads a model under a name chosen by the daemon. The weights are a file that
    /// Train has written; a method without training gets none. The reply must depend
    /// on specification and weights alone. Lags are ascending, each at least 1: lag j
    /// is the value j slots before the input's own. initialState is [stateCount].
    public enum Load {
        public struct Request: Codable, Sendable {
            public var model: String
            public var specification: ForecasterSpecification
            public var weights: String?

            public init(model: String, specification: ForecasterSpecification, weights: String? = nil) {
                (self.model, self.specification, self.weights) = (model, specification, weights)
            }
        }

        public struct Reply: Codable, Sendable, Hashable {
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
    }

    /// The model is not needed any more.
    public enum Unload {
        public struct Request: Codable, Sendable {
            public var model: String

            public init(model: String) {
                self.model = model
            }
        }

        public struct Reply: Codable, Sendable { public init() {} }
    }

    /// Steps count rows by one slot. A row's result depends on that row alone, bit
    /// for bit, whatever other rows share the call.
    /// states       [count][stateCount] before the step; after it in the reply
    /// series       [count] int64: whose row it is, as the panel's index names it
    /// values       [count] the value of the slot, NaN without one
    /// lagged       [count][lags] in the order of Load's lags
    /// localSeconds [count] int64: when the slot begins on the local clock, in
    /// seconds since 1970-01-01 00:00
    /// cadence      [count] seconds in one slot
    /// forecasts    [count][experts][horizon][quantiles], ascending within a lead;
    /// empty if they are not wanted
    public enum Advance {
        public struct Request: Codable, Sendable {
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

        public struct Reply: Codable, Sendable {
            public var states: String
            public var forecasts: String

            public init(states: String, forecasts: String) {
                (self.states, self.forecasts) = (states, forecasts)
            }
        }
    }

    /// Trains on a panel and writes the weights. Needs more: each reply reports the
    /// progress, and the last one has the metrics. A caller that hangs up cancels.
    /// panel    a file, NumPy's format 1.0: float64 [series][slots], NaN without a
    /// value and after a series' end
    /// index    a file, JSON: one object for each row of the panel, with id, key,
    /// cadence (nanoseconds), start (slot), count and utcOffsets
    /// from     weights to go on from; none to begin fresh
    /// weights  the file to write
    public enum Train {
        public struct Request: Codable, Sendable {
            public var panel: String
            public var index: String
            public var specification: ForecasterSpecification
            public var from: String?
            public var weights: String

            public init(
                panel: String, index: String, specification: ForecasterSpecification, from: String? = nil,
                weights: String
            ) {
                (self.panel, self.index, self.specification) = (panel, index, specification)
                (self.from, self.weights) = (from, weights)
            }
        }

        public struct Reply: Codable, Sendable {
            public var done: Int
            public var total: Int
            public var loss: Double
            public var metrics: [String: Double]?

            public init(done: Int, total: Int, loss: Double, metrics: [String: Double]? = nil) {
                (self.done, self.total, self.loss, self.metrics) = (done, total, loss, metrics)
            }
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
