import Basics
import Synchronization

/// Events on their way to one watcher: as many as fit its share of memory, however many one commit makes. What finds no room
/// is counted, and told behind the events before it.
///
/// Any thread may put events; one reader at a time takes them.
final class EventQueue: Sendable {
    /// What all queues hold together, in bytes.
    final class Budget: Sendable {
        fileprivate let used = Atomic(0)
        let limit: Int
        let perQueue: Int

        init(limit: Int, perQueue: Int) { (self.limit, self.perQueue) = (limit, perQueue) }
    }

    fileprivate struct Content {
        /// From ``first`` on.
        var events: [(event: EncodedOnce<EngineEvent>, bytes: Int)] = []
        var first = 0
        var bytes = 0
        /// Events that found no room since the last that did.
        var lost = 0
        var reader: CheckedContinuation<Void, Never>?
        var isFinished = false

        var count: Int { events.count - first }
    }

    private let content = Locked(Content())
    private let budget: Budget
    /// Has room even when others have taken all the rest.
    private static let share = 16

    init(_ budget: Budget) { self.budget = budget }

    deinit { budget.used.subtract(content.withLock { $0.bytes }, ordering: .relaxed) }

    /// Events that wait, and those that have found no room behind them.
    var backlog: (waiting: Int, lost: Int) { content.withLock { ($0.count, $0.lost) } }

    func put(_ event: EncodedOnce<EngineEvent>, bytes: Int) {
        let reader = content.withLock { content -> CheckedContinuation<Void, Never>? in
            guard !content.isFinished else { return nil }
            if content.lost == 0, hasRoom(content, for: bytes) {
                content.events.append((event, bytes))
                content.bytes += bytes
                budget.used.add(bytes, ordering: .relaxed)
            } else {
                content.lost += 1
            }
            defer { content.reader = nil }
            return content.reader
        }
        reader?.resume()
    }

    private func hasRoom(_ content: Content, for bytes: Int) -> Bool {
        let own = content.bytes + bytes
        if own > budget.perQueue { return false }
        return own <= budget.limit / Self.share || budget.used.load(ordering: .relaxed) + bytes <= budget.limit
    }

    /// The next event, once there is one; nil at the end.
    func next() async -> EncodedOnce<EngineEvent>? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = content.withLock { content in
                    let isReady = content.count > 0 || content.lost > 0 || content.isFinished
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

    /// Nothing is put any more; what waits can still be taken.
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
    /// The oldest event; behind all of them, how many were lost.
    fileprivate mutating func pop() -> (event: EncodedOnce<EngineEvent>, bytes: Int)? {
        guard count > 0 else {
            guard lost > 0 else { return nil }
            defer { lost = 0 }
            return (EncodedOnce(.lost(lost)), 0)
        }
        let next = events[first]
        first += 1
        bytes -= next.bytes
        // Given back now and then, so that an event costs little.
        if first == events.count || first >= 1_024 && first > events.count / 2 {
            events.removeFirst(first)
            first = 0
        }
        return next
    }
}

/// The events for one watcher, until the engine stops, the reader's task is cancelled, or nobody has it any more.
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

    /// Events that wait to be read, and those that have found no room behind them.
    public var backlog: (waiting: Int, lost: Int) { subscription.queue.backlog }

    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let stream: EventStream

        public mutating func next() async -> Element? { await stream.subscription.queue.next() }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: self) }
}
