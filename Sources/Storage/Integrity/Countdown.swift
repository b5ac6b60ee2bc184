import Synchronization

/// A counter that reaches zero exactly once, across threads.
final class Countdown: Sendable {
    private let remaining: Mutex<Int>

    init(_ count: Int) { remaining = Mutex(count) }

    /// Decrements the count; true for the one call that reaches zero.
    func countDown() -> Bool {
        remaining.withLock { remaining in
            remaining -= 1
            return remaining == 0
        }
    }
}
