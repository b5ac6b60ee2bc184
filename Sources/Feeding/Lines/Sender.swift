import Basics
import Listening
import NIOCore

/// How slow and how idle a sender may be.
struct SenderLimits: Sendable {
    /// The longest time without a byte, while no line or request is unfinished.
    var idle: Duration
    /// The longest time for a line or a request, from its first byte to its last.
    var unit: Duration
    /// The data rate, in bytes a second, at which it may take longer.
    var rate: Int
}

/// Why a sender's connection was closed.
struct SenderError: Error, CustomStringConvertible {
    let description: String
}

/// One connection of a listener: what is unfinished, since when, and how much memory we hold for it.
///
/// Safe to use from any thread.
final class Sender: Sendable {
    private struct State {
        var lastArrival: Int64
        /// When the unfinished line or request began, and how many bytes of it have arrived; nil if there is none.
        var unit: (start: Int64, bytes: Int)?
        var isWorking = false
        var entry: ConnectionLimiter.Entry?
    }

    private let state: Locked<State>
    private let share: MemoryBudget.Share
    private let limiter: ConnectionLimiter
    private let now: @Sendable () -> Int64

    init(
        _ share: MemoryBudget.Share, limiter: ConnectionLimiter,
        now: @escaping @Sendable () -> Int64 = ConnectionLimiter.monotonic
    ) {
        (self.share, self.limiter, self.now) = (share, limiter, now)
        state = Locked(State(lastArrival: now()))
    }

    // MARK: Admission

    /// Asks the limiter for admission; returns whether it was granted.
    ///
    /// - Parameter close: called when another connection has replaced it.
    func admit(_ peer: PeerKey, close: @escaping @Sendable () -> Void) -> Bool {
        let entry = limiter.admit(
            peer, isBusy: { [weak self] in self?.state.withLock { $0.isWorking } ?? false }, evict: close)
        state.withLock { $0.entry = entry }
        return entry != nil
    }

    func leave() {
        let entry = state.withLock { state in
            defer { state.entry = nil }
            return state.entry
        }
        if let entry { limiter.leave(entry) }
    }

    // MARK: Data

    func arrived(_ bytes: Int) {
        let now = now()
        state.withLock { state in
            state.lastArrival = now
            state.unit = (state.unit?.start ?? now, (state.unit?.bytes ?? 0) + bytes)
        }
    }

    /// Notes that a line or a request is complete.
    ///
    /// - Parameter rest: bytes of the next one that have already arrived.
    func completed(rest: Int = 0) {
        let now = now()
        let entry = state.withLock { state in
            state.unit = rest > 0 ? (now, rest) : nil
            return state.entry
        }
        if let entry { limiter.recordActivity(of: entry) }
    }

    /// Sets how many bytes we hold for the sender now.
    func setHeld(_ bytes: Int) { share.set(bytes) }

    /// Runs `body` while the sender waits for us: this time does not count against it, and it is not replaced
    /// meanwhile.
    func whileWorking<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        let start = now()
        state.withLock { $0.isWorking = true }
        defer {
            let took = now() - start
            state.withLock { state in
                state.isWorking = false
                state.lastArrival += took
                state.unit?.start += took
            }
        }
        return try await body()
    }

    // MARK: Timeouts

    /// The reason to close the connection for being too slow; nil if it is in time.
    func timeoutReason(_ limits: SenderLimits) -> String? {
        let now = now()
        return state.withLock { state in
            guard !state.isWorking else { return nil }
            guard let unit = state.unit else {
                return now - state.lastArrival > limits.idle.nanoseconds ? "it sent nothing within \(limits.idle)" : nil
            }
            let seconds = Double(now - unit.start) / 1e9
            guard now - unit.start > limits.unit.nanoseconds, Double(unit.bytes) < seconds * Double(limits.rate) else {
                return nil
            }
            return "it did not complete a line or request within \(limits.unit)"
        }
    }
}

extension Duration {
    fileprivate var nanoseconds: Int64 { Int64(self / .nanoseconds(1)) }
}
