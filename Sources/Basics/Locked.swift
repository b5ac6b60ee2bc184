import Glibc

/// A value that one thread at a time may look at.
///
/// `Synchronization.Mutex` does the same, but ThreadSanitizer does not see it: its futex lies in the standard library,
/// which is not instrumented. What threads share has to stay checkable.
///
/// `@unchecked Sendable`: `value` is guarded by `lock`.
package final class Locked<Value>: @unchecked Sendable {
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private var value: Value

    package init(_ value: Value) {
        self.value = value
        lock = .allocate(capacity: 1)
        pthread_mutex_init(lock, nil)
    }

    deinit {
        pthread_mutex_destroy(lock)
        lock.deallocate()
    }

    /// Runs `body` while nobody else does.
    package func withLock<T>(_ body: (inout Value) throws -> T) rethrows -> T {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return try body(&value)
    }
}
