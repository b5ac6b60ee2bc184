/// A model that can say what the running state of a series holds.
public protocol ExplainableModel: ForecastModel {
    /// What the state of one series tells.
    ///
    /// - Parameter steps: its newest steps, oldest first: batches of one row with the state before the step and the inputs
    ///   of the step. Never empty.
    func findings(of steps: [AdvanceBatch]) -> [StateFinding]
}

/// One number about a running state, and what it means.
public struct StateFinding: Hashable, Sendable {
    public var name: String
    /// Always finite.
    public var value: Double
    /// Such as `slots`; `%` for parts of a hundred; empty for a plain number.
    public var unit: String
    /// A sentence for people.
    public var meaning: String

    public init(_ name: String, _ value: Double, unit: String = "", _ meaning: String) {
        (self.name, self.value, self.unit, self.meaning) = (name, value, unit, meaning)
    }
}
