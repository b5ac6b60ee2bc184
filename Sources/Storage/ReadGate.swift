import Dispatch
import Synchronization

/// Lets reads in until the database is closed, and makes closing wait for those inside: SQLite must not be asked through a
/// closed connection.
final class ReadGate: Sendable {
    private let isClosed = Mutex(false)
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

    /// Lets nobody in any more, and waits until everybody has left.
    func close() {
        isClosed.withLock { $0 = true }
        inside.wait()
    }
}
