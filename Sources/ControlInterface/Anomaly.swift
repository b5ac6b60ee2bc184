/// A closed slot with a value that the forecast of the slot before considered improbable.
public struct Anomaly: Codable, Sendable {
    public var series: String
    public var forecaster: String
    public var method: String
    public var modelVersion: Int
    public var time: String
    public var cadenceSeconds: Double
    public var value: Float
    public var probability: Float
    public var median: Float
    public var low: Float
    public var high: Float
    public var interval: Float
    public var held: Int

    public init(
        series: String, forecaster: String, method: String, modelVersion: Int, time: String, cadenceSeconds: Double,
        value: Float, probability: Float, median: Float, low: Float, high: Float, interval: Float, held: Int
    ) {
        self.series = series
        self.forecaster = forecaster
        self.method = method
        self.modelVersion = modelVersion
        self.time = time
        self.cadenceSeconds = cadenceSeconds
        self.value = value
        self.probability = probability
        self.median = median
        self.low = low
        self.high = high
        self.interval = interval
        self.held = held
    }
}
