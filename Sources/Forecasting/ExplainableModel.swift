/// A model that can explain the running state of a series.
public protocol ExplainableModel: ForecastModel {
    /// Findings about the state of one series.
    ///
    /// - Parameter steps: the newest steps of the series, oldest first: batches of one row, each with the state before
    ///   the step and the inputs of the step. Never empty.
    func findings(of steps: [AdvanceBatch]) -> [StateFinding]
}

/// One number that describes a running state, with its meaning.
public struct StateFinding: Hashable, Sendable {
    public var name: String
    /// Always finite.
    public var value: Double
    /// For example `slots`; `%` for percentages; empty for a plain number.
    public var unit: String
    /// An explanation in one sentence.
    public var meaning: String

    public init(_ name: String, _ value: Double, unit: String = "", _ meaning: String) {
        (self.name, self.value, self.unit, self.meaning) = (name, value, unit, meaning)
    }
}
