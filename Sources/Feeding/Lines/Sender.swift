import Listening
import NIOCore
import Synchronization

/// How long a sender may take, and say nothing.
struct SenderLimits: Sendable {
    /// Without a byte, while nothing it began is unfinished.
    var idle: Duration
    /// For a line or a request, from its first byte to its last.
    var unit: Duration
    /// Bytes a second that excuse a longer one.
    var rate: Int
}

/// Why a sender's connection was closed.
struct SenderError: Error, CustomStringConvertible {
    let description: String
}

/// One connection of a listener: what it has begun, since when, and what it makes us hold.
///
/// For all threads.
final class Sender: Sendable {
    private struct State {
        var newest: Int64
        /// Since when a line or a request is unfinished, and how many bytes of it have come; nil: none is.
        var unit: (start: Int64, bytes: Int)?
        var isWorking = false
        var entry: ConnectionLimiter.Entry?
    }

    private let state: Mutex<State>
    private let share: MemoryBudget.Share
    private let limiter: ConnectionLimiter
    private let now: @Sendable () -> Int64

    init(
        _ share: MemoryBudget.Share, limiter: ConnectionLimiter,
        now: @escaping @Sendable () -> Int64 = ConnectionLimiter.monotonic
    ) {
        (self.share, self.limiter, self.now) = (share, limiter, now)
        state = Mutex(State(newest: now()))
    }

    // MARK: Admission

    /// Whether the connection is admitted.
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

    // MARK: What it sends

    func arrived(_ bytes: Int) {
        let now = now()
        state.withLock { state in
            state.newest = now
            state.unit = (state.unit?.start ?? now, (state.unit?.bytes ?? 0) + bytes)
        }
    }

    /// What it began has ended.
    ///
    /// - Parameter rest: bytes of the next one that have come already.
    func finished(rest: Int = 0) {
        let now = now()
        let entry = state.withLock { state in
            state.unit = rest > 0 ? (now, rest) : nil
            return state.entry
        }
        if let entry { limiter.recordActivity(of: entry) }
    }

    /// How much it makes us hold now.
    func holds(_ bytes: Int) { share.set(bytes) }

    /// Runs `body` while the sender waits for us: that is not its own time, and its place is safe.
    func working<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        let start = now()
        state.withLock { $0.isWorking = true }
        defer {
            let took = now() - start
            state.withLock { state in
                state.isWorking = false
                state.newest += took
                state.unit?.start += took
            }
        }
        return try await body()
    }

    // MARK: Its time

    /// What it has not done in time; nil: all is well.
    func lateness(_ limits: SenderLimits) -> String? {
        let now = now()
        return state.withLock { state in
            guard !state.isWorking else { return nil }
            guard let unit = state.unit else {
                return now - state.newest > limits.idle.nanoseconds ? "it sent nothing within \(limits.idle)" : nil
            }
            let seconds = Double(now - unit.start) / 1e9
            guard now - unit.start > limits.unit.nanoseconds, Double(unit.bytes) < seconds * Double(limits.rate) else {
                return nil
            }
            return "it did not end what it began within \(limits.unit)"
        }
    }
}

extension Duration {
    fileprivate var nanoseconds: Int64 { Int64(self / .nanoseconds(1)) }
}
