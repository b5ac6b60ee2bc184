import Basics
public import TimeSeries

/// The engine's time of day: the machine's clock, except that a jump is accepted only after it has persisted.
///
/// Otherwise a clock that is wrong for a few seconds would stamp readings with times that make all later ones late,
/// refuse readings from senders with correct clocks, and expire young readings. So after a jump the time continues from
/// before by the monotonic clock until the new time has held for ``confirmationTime``. docs/decisions/0016 lists which
/// decisions use which time.
///
/// Safe to use from any thread.
public final class SettledClock: WallClock {
    /// How far the time of day can be trusted.
    public enum Trust: Sendable, Equatable {
        /// Before 2025-01-01, or at the start more than 20 minutes before the newest stored settled time, as on a
        /// machine without a battery-backed clock.
        case unset
        /// Started or jumped recently.
        case young
        /// It has agreed with the monotonic clock for ``settlingTime``.
        case settled
    }

    private struct State {
        /// The time of day minus the monotonic clock, in nanoseconds.
        var offset: Int64
        /// The monotonic time since which ``offset`` has held.
        var since: Int64
        /// How far ``offset`` has moved recently, less a tenth of the time that passed, in nanoseconds.
        var recentDrift: Int64 = 0
        var lastSample: Int64
        /// The offset of the machine's clock since a jump, and the monotonic time of that jump.
        var candidate: (offset: Int64, since: Int64)?
        var isUnset: Bool
    }

    private let source: any WallClock
    /// The newest settled time stored before this start.
    private let lastStored: Timestamp
    private let state: Locked<State>

    /// The difference between the two clocks above which it is a jump, in nanoseconds.
    static let tolerance: Int64 = 60_000_000_000
    /// How long a new time has to hold before it is accepted, in nanoseconds.
    static let confirmationTime: Int64 = 300_000_000_000
    /// How long a time has to hold before readings may expire by it, in nanoseconds.
    static let settlingTime: Int64 = 600_000_000_000
    /// How far before ``lastStored`` a clock may start, in nanoseconds: settled times are stored only at intervals.
    private static let leeway: Int64 = 1_200_000_000_000
    /// A clock before 2025-01-01 is unset.
    private static let earliest = Timestamp.from(seconds: 1_735_689_600)

    /// - Parameter lastStored: the newest settled time stored before this start.
    init(_ source: any WallClock, lastStored: Timestamp) {
        (self.source, self.lastStored) = (source, lastStored)
        let (wall, monotonic) = (source.now, source.monotonic)
        let isBehind = lastStored.nanoseconds(since: wall) > Self.leeway
        state = Locked(
            State(
                offset: wall.nanoseconds &- monotonic, since: monotonic, lastSample: monotonic,
                isUnset: wall < Self.earliest || isBehind))
    }

    /// One reading of the clock.
    struct Sample {
        var time: Timestamp
        var trust: Trust
        /// How far the machine's clock is ahead of ``time``, in nanoseconds; nil: no jump.
        var jump: Int64?
    }

    public var now: Timestamp { sample().time }

    public var monotonic: Int64 { source.monotonic }

    public var trust: Trust { sample().trust }

    func sample() -> Sample {
        state.withLock { state in
            let (wall, monotonic) = (source.now.nanoseconds, source.monotonic)
            update(wall, monotonic, &state)
            let time = Timestamp(nanoseconds: monotonic &+ state.offset)
            let isOld = monotonic - state.since >= Self.settlingTime && state.candidate == nil
            return Sample(
                time: time, trust: state.isUnset ? .unset : isOld ? .settled : .young,
                jump: state.candidate.map { $0.offset &- state.offset })
        }
    }

    private func update(_ wall: Int64, _ monotonic: Int64, _ state: inout State) {
        let offset = wall &- monotonic
        state.recentDrift = max(0, state.recentDrift - max(0, monotonic - state.lastSample) / 10)
        state.lastSample = monotonic
        let distance = Self.distance(offset, state.offset)
        if distance + state.recentDrift <= Self.tolerance {
            state.recentDrift += distance
            (state.offset, state.candidate) = (offset, nil)
        } else if state.isUnset || PlantedBug.believedJump.isActive || isConfirmed(offset, monotonic, &state) {
            (state.offset, state.since, state.recentDrift, state.candidate) = (offset, monotonic, 0, nil)
        }
        guard state.isUnset, wall >= Self.earliest.nanoseconds else { return }
        let isBehind = lastStored.nanoseconds(since: Timestamp(nanoseconds: wall)) > Self.leeway
        // A clock that stays behind is right: the stored time came from a clock that was ahead.
        let isConfirmed = monotonic - state.since >= Self.confirmationTime
        if !isBehind || isConfirmed && !PlantedBug.storedTimeOutlivesClock.isActive { state.isUnset = false }
    }

    /// Whether the machine's clock has held this offset, within ``tolerance``, for long enough.
    private func isConfirmed(_ offset: Int64, _ monotonic: Int64, _ state: inout State) -> Bool {
        guard let candidate = state.candidate, Self.distance(candidate.offset, offset) <= Self.tolerance else {
            state.candidate = (offset, monotonic)
            return false
        }
        return monotonic - candidate.since >= Self.confirmationTime
    }

    private static func distance(_ a: Int64, _ b: Int64) -> Int64 {
        let (difference, overflow) = a.subtractingReportingOverflow(b)
        return overflow || difference == .min ? .max / 2 : min(.max / 2, abs(difference))
    }
}
