import Glibc
public import TimeSeries

/// A source of the time of day; tests use one that they set.
public protocol WallClock: Sendable {
    /// The time of day, which may be set at any time.
    var now: Timestamp { get }
    /// Nanoseconds since an arbitrary origin; never set.
    var monotonic: Int64 { get }
}

/// The machine's clocks.
public struct SystemClock: WallClock {
    public init() {}

    public var now: Timestamp { Timestamp(nanoseconds: Self.read(CLOCK_REALTIME)) }

    public var monotonic: Int64 { Self.read(CLOCK_MONOTONIC) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
