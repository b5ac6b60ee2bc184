import Synchronization

/// What the listeners have done since the start. For all threads.
public final class FeedCounters: Sendable {
    public struct Counts: Sendable {
        /// Readings that were taken.
        public var accepted = 0
        /// Text fields, which are no readings.
        public var skipped = 0
        /// Malformed lines and refused readings.
        public var problems = 0
        /// Datagrams that found the queue full.
        public var droppedDatagrams = 0
        /// Readings of datagrams that could not be committed.
        public var lostReadings = 0
        /// Connections that were closed because there were too many.
        public var refusedConnections = 0
        /// Silent connections that made room for others.
        public var replacedConnections = 0
    }

    private let counts = Mutex(Counts())

    public init() {}

    public var current: Counts { counts.withLock { $0 } }

    func add(accepted: Int, skipped: Int, problems: Int) {
        counts.withLock {
            $0.accepted += accepted
            $0.skipped += skipped
            $0.problems += problems
        }
    }

    func readingsLost(_ count: Int) { counts.withLock { $0.lostReadings += count } }
    func datagramDropped() { counts.withLock { $0.droppedDatagrams += 1 } }
    func connectionReplaced() { counts.withLock { $0.replacedConnections += 1 } }
    func connectionRefused() { counts.withLock { $0.refusedConnections += 1 } }
}
