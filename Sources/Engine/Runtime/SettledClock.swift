import Basics
public import TimeSeries

/// The time of day that the engine goes by: the machine's, but a jump is believed only once it has lasted.
///
/// A clock that is set wrong for some seconds would otherwise stamp readings with a time that makes all later ones late,
/// refuse those of senders whose clocks are right, and expire what is young. So after a jump, time goes on as before by the
/// monotonic clock until the new time has held for ``patience``. docs/decisions/0016 says what goes by which evidence.
///
/// Safe to use from any thread.
public final class SettledClock: WallClock {
    /// What is known of the time of day.
    public enum Trust: Sendable, Equatable {
        /// Before the build, or at the start well before a time that was settled earlier: a machine without a battery.
        case unset
        /// Started or jumped lately.
        case young
        /// It has agreed with the monotonic clock for ``settling``.
        case settled
    }

    private struct State {
        /// The time of day minus the monotonic clock.
        var offset: Int64
        /// When ``offset`` began to hold.
        var since: Int64
        /// How far ``offset`` has moved lately, a tenth of the time that passed forgiven.
        var strayed: Int64 = 0
        var looked: Int64
        /// Another offset that the machine's clock has had since then.
        var candidate: (offset: Int64, since: Int64)?
        var isUnset: Bool
    }

    private let source: any WallClock
    /// The newest time that was settled in an earlier life.
    private let known: Timestamp
    private let state: Locked<State>

    /// How far the two clocks may be apart, in nanoseconds, before that is a jump.
    static let tolerance: Int64 = 60_000_000_000
    /// How long a new time has to hold before it counts.
    static let patience: Int64 = 300_000_000_000
    /// How long a time has to hold before anything is removed by it.
    static let settling: Int64 = 600_000_000_000
    /// How far behind ``known`` a clock may start: a settled time is noted now and then.
    private static let leeway: Int64 = 1_200_000_000_000
    /// Clocks before this are unset: 2025-01-01.
    private static let earliest = Timestamp.from(seconds: 1_735_689_600)

    /// - Parameter known: the newest time that was settled in an earlier life.
    init(_ source: any WallClock, known: Timestamp) {
        (self.source, self.known) = (source, known)
        let (wall, monotonic) = (source.now, source.monotonic)
        let isBehind = known.nanoseconds(since: wall) > Self.leeway
        state = Locked(
            State(
                offset: wall.nanoseconds &- monotonic, since: monotonic, looked: monotonic,
                isUnset: wall < Self.earliest || isBehind))
    }

    /// What a look at the clock gives.
    struct Look {
        var time: Timestamp
        var trust: Trust
        /// How far the machine's clock has jumped ahead of ``time``, in nanoseconds; nil: it has not.
        var jump: Int64?
    }

    public var now: Timestamp { look().time }

    public var monotonic: Int64 { source.monotonic }

    public var trust: Trust { look().trust }

    func look() -> Look {
        state.withLock { state in
            let (wall, monotonic) = (source.now.nanoseconds, source.monotonic)
            follow(wall, monotonic, &state)
            let time = Timestamp(nanoseconds: monotonic &+ state.offset)
            let isOld = monotonic - state.since >= Self.settling && state.candidate == nil
            return Look(
                time: time, trust: state.isUnset ? .unset : isOld ? .settled : .young,
                jump: state.candidate.map { $0.offset &- state.offset })
        }
    }

    private func follow(_ wall: Int64, _ monotonic: Int64, _ state: inout State) {
        let offset = wall &- monotonic
        state.strayed = max(0, state.strayed - max(0, monotonic - state.looked) / 10)
        state.looked = monotonic
        let distance = Self.distance(offset, state.offset)
        if distance + state.strayed <= Self.tolerance {
            state.strayed += distance
            (state.offset, state.candidate) = (offset, nil)
        } else if state.isUnset || hasHeld(offset, monotonic, &state) {
            (state.offset, state.since, state.strayed, state.candidate) = (offset, monotonic, 0, nil)
        }
        guard state.isUnset, wall >= Self.earliest.nanoseconds else { return }
        let isBehind = known.nanoseconds(since: Timestamp(nanoseconds: wall)) > Self.leeway
        // A clock that is behind and stays there is right: it was the earlier one that was ahead.
        if !isBehind || monotonic - state.since >= Self.patience { state.isUnset = false }
    }

    /// Whether the machine's clock has had about this offset for long enough.
    private func hasHeld(_ offset: Int64, _ monotonic: Int64, _ state: inout State) -> Bool {
        guard let candidate = state.candidate, Self.distance(candidate.offset, offset) <= Self.tolerance else {
            state.candidate = (offset, monotonic)
            return false
        }
        return monotonic - candidate.since >= Self.patience
    }

    private static func distance(_ a: Int64, _ b: Int64) -> Int64 {
        let (difference, overflow) = a.subtractingReportingOverflow(b)
        return overflow || difference == .min ? .max / 2 : min(.max / 2, abs(difference))
    }
}
