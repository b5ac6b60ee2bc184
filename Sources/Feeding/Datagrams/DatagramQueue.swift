import Basics
import LineProtocol

/// A bounded queue of decoded datagrams between the event loop and the commits. Safe to use from any thread.
final class DatagramQueue: Sendable {
    private let pending = Locked(DecodedBatch())
    private let limit: Int
    private let signal: AsyncStream<Void>.Continuation
    /// Yields when something has arrived since the last ``takeAll()``.
    let arrivals: AsyncStream<Void>

    /// - Parameter limit: the capacity in readings.
    init(limit: Int) {
        self.limit = limit
        (arrivals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Adds the readings of a datagram; returns false if there is no space for them.
    func add(_ datagram: DecodedBatch) -> Bool {
        let isAdded = pending.withLock { pending in
            guard pending.readings.count + datagram.readings.count <= limit else { return false }
            pending.readings += datagram.readings
            pending.lines += datagram.lines
            pending.refused += datagram.refused
            pending.skipped += datagram.skipped
            return true
        }
        signal.yield()
        return isAdded
    }

    /// Removes and returns everything in the queue.
    func takeAll() -> DecodedBatch {
        pending.withLock { pending in
            defer { pending = DecodedBatch() }
            return pending
        }
    }

    /// Ends ``arrivals``.
    func finish() { signal.finish() }
}
