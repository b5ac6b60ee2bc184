import Basics
import DequeModule
import Synchronization

/// The event queue of one watcher, bounded by memory and not by a number of events.
///
/// Events that do not fit are counted; the count follows the queued events as ``EngineEvent/lost(_:)``.
///
/// Any thread may enqueue events; only one reader at a time may dequeue them.
final class EventQueue: Sendable {
    /// The memory that all queues use together, in bytes.
    final class Budget: Sendable {
        fileprivate let used = Atomic(0)
        let limit: Int
        let perQueue: Int

        init(limit: Int, perQueue: Int) { (self.limit, self.perQueue) = (limit, perQueue) }
    }

    fileprivate struct Content {
        var events: Deque<(event: EncodedOnce<EngineEvent>, bytes: Int)> = []
        var bytes = 0
        /// The number of events lost since the newest queued one.
        var lost = 0
        var reader: CheckedContinuation<Void, Never>?
        var isFinished = false
    }

    private let content = Locked(Content())
    private let budget: Budget
    /// A queue may always use this fraction of the budget, 1 / 16, even when others have used up the rest.
    private static let reservedFraction = 16

    init(_ budget: Budget) { self.budget = budget }

    deinit { budget.used.subtract(content.withLock { $0.bytes }, ordering: .relaxed) }

    /// The number of waiting events, and of those lost after them.
    var backlog: (waiting: Int, lost: Int) { content.withLock { ($0.events.count, $0.lost) } }

    func put(_ event: EncodedOnce<EngineEvent>, bytes: Int) {
        let reader = content.withLock { content -> CheckedContinuation<Void, Never>? in
            guard !content.isFinished else { return nil }
            if content.lost == 0, hasRoom(content, for: bytes) {
                content.events.append((event, bytes))
                content.bytes += bytes
                budget.used.add(bytes, ordering: .relaxed)
            } else {
                content.lost += PlantedBug.lossUncounted.isActive ? 0 : 1
            }
            defer { content.reader = nil }
            return content.reader
        }
        reader?.resume()
    }

    private func hasRoom(_ content: Content, for bytes: Int) -> Bool {
        let own = content.bytes + bytes
        if PlantedBug.unboundedWatcher.isActive { return true }
        if own > budget.perQueue { return false }
        return own <= budget.limit / Self.reservedFraction
            || budget.used.load(ordering: .relaxed) + bytes <= budget.limit
    }

    /// Waits for the next event; nil at the end.
    func next() async -> EncodedOnce<EngineEvent>? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = content.withLock { content in
                    let isReady = !content.events.isEmpty || content.lost > 0 || content.isFinished
                    if !isReady { content.reader = continuation }
                    return isReady
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            finish()
        }
        guard let next = content.withLock({ $0.pop() }) else { return nil }
        budget.used.subtract(next.bytes, ordering: .relaxed)
        return next.event
    }

    /// Ends the queue: no event is added any more; waiting ones can still be read.
    func finish() {
        let reader = content.withLock { content in
            content.isFinished = true
            defer { content.reader = nil }
            return content.reader
        }
        reader?.resume()
    }
}

extension EventQueue.Content {
    /// Removes the oldest event or, after the last one, the number of lost ones.
    fileprivate mutating func pop() -> (event: EncodedOnce<EngineEvent>, bytes: Int)? {
        guard let next = events.popFirst() else {
            guard lost > 0 else { return nil }
            defer { lost = 0 }
            return (EncodedOnce(.lost(lost)), 0)
        }
        bytes -= next.bytes
        return next
    }
}

/// The events for one watcher, until the engine stops, the reader's task is cancelled or the last copy of the stream is
/// released.
public struct EventStream: AsyncSequence, Sendable {
    public typealias Element = EncodedOnce<EngineEvent>

    /// Ends the subscription with the last copy of the stream.
    private final class Subscription: Sendable {
        let queue: EventQueue
        private let end: @Sendable () -> Void

        init(_ queue: EventQueue, end: @escaping @Sendable () -> Void) { (self.queue, self.end) = (queue, end) }

        deinit { end() }
    }

    private let subscription: Subscription

    init(_ queue: EventQueue, end: @escaping @Sendable () -> Void) { subscription = Subscription(queue, end: end) }

    /// The number of events waiting to be read, and of those lost after them.
    public var backlog: (waiting: Int, lost: Int) { subscription.queue.backlog }

    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let stream: EventStream

        public mutating func next() async -> Element? { await stream.subscription.queue.next() }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: self) }
}
