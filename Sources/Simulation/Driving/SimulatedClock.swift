import Engine
import TimeSeries

/// The clocks of the simulated machine: the true time, and a time of day that may be wrong.
///
/// `@unchecked Sendable`: used only by the thread that runs the simulation.
final class SimulatedClock: WallClock, @unchecked Sendable {
    /// The true time, which senders with good clocks know.
    private(set) var trueTime: Timestamp
    /// How far the machine's time of day is ahead, in nanoseconds.
    var error: Int64 = 0
    /// Nanoseconds since the machine was switched on.
    private(set) var monotonic: Int64 = 1_000_000_000

    init(_ time: Timestamp) { trueTime = time }

    var now: Timestamp { trueTime.advanced(byNanoseconds: error) }

    func advance(by nanoseconds: Int64) {
        trueTime = trueTime.advanced(byNanoseconds: nanoseconds)
        monotonic += nanoseconds
    }

    /// The machine was switched off and on.
    func restartMachine() { monotonic = 1_000_000_000 }
}
