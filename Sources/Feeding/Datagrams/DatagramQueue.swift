import LineProtocol
import Synchronization

/// Decoded datagrams between the event loop and the commits, bounded. For all threads.
final class DatagramQueue: Sendable {
    private let pending = Mutex(DecodedBatch())
    private let limit: Int
    private let bell: AsyncStream<Void>.Continuation
    /// Something has come since the last ``takeAll()``.
    let arrivals: AsyncStream<Void>

    /// - Parameter limit: in readings.
    init(limit: Int) {
        self.limit = limit
        (arrivals, bell) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// False: the queue is full.
    func add(_ datagram: DecodedBatch) -> Bool {
        let isTaken = pending.withLock { pending in
            guard pending.readings.count + datagram.readings.count <= limit else { return false }
            pending.readings += datagram.readings
            pending.lines += datagram.lines
            pending.refused += datagram.refused
            pending.skipped += datagram.skipped
            return true
        }
        bell.yield()
        return isTaken
    }

    func takeAll() -> DecodedBatch {
        pending.withLock { pending in
            defer { pending = DecodedBatch() }
            return pending
        }
    }

    func finish() { bell.finish() }
}
