import Glibc
public import TimeSeries

/// What tells the time of day. Tests turn one by hand.
public protocol WallClock: Sendable {
    var now: Timestamp { get }
}

/// The machine's clock.
public struct SystemClock: WallClock {
    public init() {}

    public var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
