public import Engine
import Synchronization
public import TimeSeries

/// A clock that only a test turns.
public final class ManualClock: WallClock {
    private let time: Mutex<(now: Timestamp, monotonic: Int64)>

    /// - Parameter seconds: since the epoch.
    public init(seconds: Int64) { time = Mutex((.from(seconds: seconds), 1)) }

    public var now: Timestamp { time.withLock { $0.now } }
    public var monotonic: Int64 { time.withLock { $0.monotonic } }

    /// Goes to that time, as if it had always been on the way there: nobody sets the clock.
    public func set(seconds: Int64) { advance(by: Timestamp.from(seconds: seconds).nanoseconds(since: now)) }

    /// Lets time pass.
    public func advance(seconds: Int64) { advance(by: seconds * 1_000_000_000) }

    private func advance(by nanoseconds: Int64) {
        time.withLock { time in
            time.now = time.now.advanced(byNanoseconds: nanoseconds)
            time.monotonic += nanoseconds
        }
    }

    /// Sets the clock, while no time passes.
    public func jump(seconds: Int64) {
        time.withLock { $0.now = $0.now.advanced(byNanoseconds: seconds * 1_000_000_000) }
    }
}
