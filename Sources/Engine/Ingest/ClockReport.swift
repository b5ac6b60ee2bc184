import TimeSeries

/// Looks at the clock for each commit, tells the operator when it jumps, and says when a settled time is to be stored.
///
/// Owned by the writer's thread.
struct ClockReport {
    private let clock: SettledClock
    /// Whether a jump has been reported and its end has not.
    private var hasJumped = false
    /// When a settled time was stored last, by the monotonic clock; nil: not yet.
    private var settledTimeStored: Int64?

    /// How often a settled time is stored, in nanoseconds: it costs the commit it travels with a page.
    private static let settledTimeInterval: Int64 = 600_000_000_000

    init(clock: SettledClock) { self.clock = clock }

    /// Reads the clock and reports what an operator should know of it.
    mutating func look(_ report: (EngineNotice) -> Void) -> SettledClock.Look {
        let look = clock.look()
        if let jump = look.jump, !hasJumped {
            report(
                .warning(
                    "this machine's clock has jumped by \(jump / 1_000_000_000) s; time goes on as before until the new one "
                        + "has held for \(SettledClock.patience / 1_000_000_000) s"))
        } else if hasJumped, look.jump == nil {
            report(.notice("this machine's clock is settled again; it is \(look.time.text)"))
        }
        hasJumped = look.jump != nil
        return look
    }

    /// The settled time of day, if one is due to be stored.
    func dueSettledTime(_ look: SettledClock.Look) -> Timestamp? {
        let isDue = settledTimeStored.map { clock.monotonic - $0 >= Self.settledTimeInterval } ?? true
        return look.trust == .settled && isDue ? look.time : nil
    }

    /// The time that was due is on disk.
    mutating func noteStored() { settledTimeStored = clock.monotonic }
}
