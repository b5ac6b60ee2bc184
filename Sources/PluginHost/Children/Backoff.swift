/// The delay before the next restart: doubles with each failure up to a minute, with jitter, without a limit on the
/// number.
public struct Backoff: Sendable {
    private var failures = 0

    public init() {}

    /// The next delay in seconds.
    public mutating func next() -> Double {
        let wait = min(60, 0.1 * Double(1 << min(failures, 10)))
        failures += 1
        // Jitter keeps children that failed together from restarting together.
        return wait * Double.random(in: 0.75...1.25)
    }

    /// Starts over with the shortest delay.
    public mutating func reset() { failures = 0 }
}
