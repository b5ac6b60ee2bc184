public import Engine
import Synchronization
public import TimeSeries

/// A clock that only a test turns.
public final class ManualClock: WallClock {
    private let time: Mutex<Timestamp>

    /// - Parameter seconds: since the epoch.
    public init(seconds: Int64) { time = Mutex(.from(seconds: seconds)) }

    public var now: Timestamp { time.withLock { $0 } }

    public func set(seconds: Int64) { time.withLock { $0 = .from(seconds: seconds) } }
    public func advance(seconds: Int64) {
        time.withLock { $0 = $0.advanced(byNanoseconds: seconds * 1_000_000_000) }
    }
}
