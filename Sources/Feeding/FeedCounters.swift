import Basics

/// Counters of the listeners since the start. Safe to use from any thread.
public final class FeedCounters: Sendable {
    /// The values of the counters.
    public struct Counts: Sendable {
        /// Readings that were accepted.
        public var accepted = 0
        /// Text fields, which are not readings.
        public var skipped = 0
        /// Malformed lines and refused readings.
        public var problems = 0
        /// Datagrams that arrived when the queue was full.
        public var droppedDatagrams = 0
        /// Readings of datagrams that could not be committed.
        public var lostReadings = 0
        /// Connections that were refused because there were too many.
        public var refusedConnections = 0
        /// Idle connections that were replaced by others.
        public var replacedConnections = 0
    }

    private let counts = Locked(Counts())

    public init() {}

    /// The current values.
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
