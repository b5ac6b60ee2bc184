import Basics
import Dispatch

/// Admits reads until the database is closed, and makes closing wait for running ones: SQLite must not be called on a
/// closed connection.
final class ReadGate: Sendable {
    private let isClosed = Locked(false)
    private let inside = DispatchGroup()

    /// - Throws: ``StorageError/closed``.
    func enter() throws(StorageError) {
        let entered = isClosed.withLock { isClosed in
            if !isClosed { inside.enter() }
            return !isClosed
        }
        guard entered else { throw .closed }
    }

    func leave() { inside.leave() }

    /// Refuses further reads and waits until the running ones have ended.
    func close() {
        isClosed.withLock { $0 = true }
        inside.wait()
    }
}
