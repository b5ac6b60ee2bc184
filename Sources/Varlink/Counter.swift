import Synchronization

/// Counts what is open.
final class Counter: Sendable {
    private let count = Mutex(0)

    func increment() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }

    func decrement() { count.withLock { $0 -= 1 } }
}
