/// `Forecasting`: the plugin contract, and what the daemon does around it: panels, holdout scores, promotion.
public import TimeSeries

/// A forecasting method: one plugin.
///
/// A method is a value without state of its own; making one has no side effects. It turns weights into a
/// ``ForecastModel``, a pure function `(state, input) → (state', forecast)`, whose state the daemon owns, stores and
/// replays.
public protocol ForecastingMethod: Sendable {
    /// Name, version and parameters.
    var manifest: Manifest { get }

    /// A model ready to step.
    ///
    /// - Parameter weights: what ``TrainableMethod/train(_:from:specification:progress:)`` returned; empty for a method
    ///   that needs no training.
    /// - Throws: ``ForecastingError``: a parameter out of range, weights of another shape, or weights with NaN.
    func load(weights: [UInt8], specification: ForecastSpecification) throws -> any ForecastModel
}

/// A method whose weights come from training.
public protocol TrainableMethod: ForecastingMethod {
    /// Trains on `panel` and returns weights for ``ForecastingMethod/load(weights:specification:)``.
    ///
    /// - Parameters:
    ///   - from: weights to go on from, or nil to begin fresh.
    ///   - progress: called now and then with what was done so far; throwing from it cancels the training.
    func train(
        _ panel: Panel, from: [UInt8]?, specification: ForecastSpecification,
        progress: (TrainingProgress) throws -> Void
    ) throws -> TrainedWeights
}

/// What a forecaster of the configuration asks of its method.
public struct ForecastSpecification: Hashable, Sendable, Codable {
    /// The number of leads.
    public var horizon: Int
    public var quantiles: QuantileLevels
    /// The method's own parameters; the method fills in its defaults.
    public var parameters: Parameters

    public init(horizon: Int, quantiles: QuantileLevels, parameters: Parameters = [:]) {
        self.horizon = horizon
        self.quantiles = quantiles
        self.parameters = parameters
    }

    /// Float32s in one forecast: `horizon × quantiles`.
    public var forecastCount: Int { horizon * quantiles.count }
}

/// A loaded model. Immutable, so any thread may step it.
public protocol ForecastModel: AnyObject, Sendable {
    /// Float32s in one state.
    var stateCount: Int { get }

    /// The lags an input carries, ascending, each at least 1: lag `j` is the value `j` slots before the input's own.
    var lags: [Int] { get }

    /// The forecasts a row gets: one, unless the model has several experts for the daemon to mix.
    var experts: [Expert] { get }

    /// The state before the first slot, `[stateCount]`.
    var initialState: [Float] { get }

    /// Steps every row of `batch` by one slot and, if asked, forecasts from there.
    ///
    /// Row by row a pure function of the row's state and input: who shares the batch changes no bit of it.
    func advance(_ batch: inout AdvanceBatch)

    /// The rows that one call takes best: more gain nothing.
    var rowsPerBatch: Int { get }

    /// What `niloctl forecasters` shows of the model: layers, shapes, parameter counts.
    var summary: String { get }
}

extension ForecastModel {
    public var experts: [Expert] { [Expert(name: "", prior: 1)] }
    /// Few enough that their states stay in the nearer caches.
    public var rowsPerBatch: Int { 256 }
}

/// One of the forecasts that a model gives for a row.
public struct Expert: Hashable, Sendable {
    /// What tells it from the model's others; empty for a model with one.
    public var name: String
    /// Its weight in the mix before anything was scored, relative to the others'.
    public var prior: Double

    public init(name: String, prior: Double) {
        self.name = name
        self.prior = prior
    }
}
