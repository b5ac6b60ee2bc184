/// `Forecasting`: the plugin contract and its surroundings in the daemon: panels, holdout scores, promotion.
public import TimeSeries

/// A forecasting method: one plugin.
///
/// A method is a value without mutable state; creating one has no side effects. It turns weights into a
/// ``ForecastModel``, a pure function `(state, input) → (state', forecast)`. The daemon owns, stores and replays the
/// state.
public protocol ForecastingMethod: Sendable {
    /// The name, the version and the parameters of the method.
    var manifest: Manifest { get }

    /// Creates a model that is ready to step.
    ///
    /// - Parameter weights: the result of ``TrainableMethod/train(_:from:specification:progress:)``; empty for a method
    ///   that needs no training.
    /// - Throws: ``ForecastingError`` for a parameter out of range, weights of another shape, or weights with NaN.
    func load(weights: [UInt8], specification: ForecastSpecification) throws -> any ForecastModel
}

/// A method whose weights come from training.
public protocol TrainableMethod: ForecastingMethod {
    /// Trains on `panel` and returns weights for ``ForecastingMethod/load(weights:specification:)``.
    ///
    /// - Parameters:
    ///   - from: weights to continue from, or nil to start from scratch.
    ///   - progress: called periodically with the progress so far; throwing from it cancels the training.
    func train(
        _ panel: Panel, from: [UInt8]?, specification: ForecastSpecification,
        progress: (TrainingProgress) throws -> Void
    ) throws -> TrainedWeights
}

/// The forecast that a configured forecaster requires of its method.
public struct ForecastSpecification: Hashable, Sendable, Codable {
    /// The number of leads.
    public var horizon: Int
    public var quantiles: QuantileLevels
    /// The method's own parameters; the method supplies its defaults for missing ones.
    public var parameters: Parameters

    public init(horizon: Int, quantiles: QuantileLevels, parameters: Parameters = [:]) {
        self.horizon = horizon
        self.quantiles = quantiles
        self.parameters = parameters
    }

    /// The number of float32 values in one forecast: `horizon × quantiles`.
    public var forecastCount: Int { horizon * quantiles.count }
}

/// A loaded model; immutable, so any thread may step it.
public protocol ForecastModel: AnyObject, Sendable {
    /// The number of float32 values in one state.
    var stateCount: Int { get }

    /// The lags in an input, ascending, each at least 1: lag `j` is the value `j` slots before the slot of the input.
    var lags: [Int] { get }

    /// The experts whose forecasts each row gets: one, unless the model has several for the daemon to mix.
    var experts: [Expert] { get }

    /// The state before the first slot, `[stateCount]`.
    var initialState: [Float] { get }

    /// Steps every row of `batch` by one slot and, if requested, forecasts from that slot.
    ///
    /// Each row is a pure function of its own state and input: the other rows in the batch do not change a single bit
    /// of it.
    func advance(_ batch: inout AdvanceBatch)

    /// The batch size at which throughput saturates.
    var rowsPerBatch: Int { get }

    /// A description of the model for `niloctl forecasters`: layers, shapes, parameter counts.
    var summary: String { get }
}

extension ForecastModel {
    public var experts: [Expert] { [Expert(name: "", prior: 1)] }
    /// Small enough that the states stay in the nearer caches.
    public var rowsPerBatch: Int { 256 }
}

/// One of the sources of forecasts in a model.
public struct Expert: Hashable, Sendable {
    /// A name unique within the model; empty for a model with a single expert.
    public var name: String
    /// Its weight in the mix before anything has been scored, relative to the other experts.
    public var prior: Double

    public init(name: String, prior: Double) {
        self.name = name
        self.prior = prior
    }
}
