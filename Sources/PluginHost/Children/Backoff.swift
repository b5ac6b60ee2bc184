/// How long to wait before the next start: twice as long after each failure, up to a minute, with jitter, for ever.
public struct Backoff: Sendable {
    private var failures = 0

    public init() {}

    /// In seconds.
    public mutating func next() -> Double {
        let wait = min(60, 0.1 * Double(1 << min(failures, 10)))
        failures += 1
        // Children that failed together do not come back together.
        return wait * Double.random(in: 0.75...1.25)
    }

    public mutating func reset() { failures = 0 }
}
