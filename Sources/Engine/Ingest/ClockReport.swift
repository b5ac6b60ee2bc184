import TimeSeries

/// Reads the clock for each commit, reports jumps to the operator, and decides when to store a settled time.
///
/// Owned by the writer's thread.
struct ClockReport {
    private let clock: SettledClock
    /// Whether a jump was reported whose end was not.
    private var hasJumped = false
    /// When a settled time was last stored, in nanoseconds of the monotonic clock; nil: not yet.
    private var settledTimeStored: Int64?

    /// The interval at which a settled time is stored, in nanoseconds: it adds a page to its commit.
    private static let settledTimeInterval: Int64 = 600_000_000_000

    init(clock: SettledClock) { self.clock = clock }

    /// Reads the clock and reports the beginning and the end of a jump.
    mutating func sample(_ report: (EngineNotice) -> Void) -> SettledClock.Sample {
        let sample = clock.sample()
        if let jump = sample.jump, !hasJumped {
            report(
                .warning(
                    "this machine's clock has jumped by \(jump / 1_000_000_000) s; time goes on as before until the new one "
                        + "has held for \(SettledClock.confirmationTime / 1_000_000_000) s"))
        } else if hasJumped, sample.jump == nil {
            report(.notice("this machine's clock is settled again; it is \(sample.time.text)"))
        }
        hasJumped = sample.jump != nil
        return sample
    }

    /// The settled time of day to store; nil if none is due.
    func dueSettledTime(_ sample: SettledClock.Sample) -> Timestamp? {
        let isDue = settledTimeStored.map { clock.monotonic - $0 >= Self.settledTimeInterval } ?? true
        return sample.trust == .settled && isDue ? sample.time : nil
    }

    /// Notes that the due time is on disk.
    mutating func recordStored() { settledTimeStored = clock.monotonic }
}
