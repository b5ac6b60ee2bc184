import Basics

/// A counter that reaches zero exactly once, across threads.
final class Countdown: Sendable {
    private let remaining: Locked<Int>

    init(_ count: Int) { remaining = Locked(count) }

    /// Decrements the count; true for the one call that reaches zero.
    func countDown() -> Bool {
        remaining.withLock { remaining in
            remaining -= 1
            return remaining == 0
        }
    }
}
