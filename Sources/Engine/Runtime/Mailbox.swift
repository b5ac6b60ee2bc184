import DequeModule
import Glibc

/// A bounded first-in, first-out queue from many senders to one owning thread.
///
/// A full queue exerts backpressure: a sending thread blocks, a sending task suspends.
///
/// `@unchecked Sendable`: every stored property is guarded by `lock`. It is a pthread mutex because the owning thread
/// waits on `notEmpty` and blocked senders on `notFull`, and `Synchronization.Mutex` has no condition variable.
final class Mailbox<Message: Sendable>: @unchecked Sendable {
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let notEmpty: UnsafeMutablePointer<pthread_cond_t>
    private let notFull: UnsafeMutablePointer<pthread_cond_t>
    private let capacity: Int
    private var messages: Deque<Message> = []
    private var suspended: Deque<(message: Message, continuation: CheckedContinuation<Bool, Never>)> = []
    private var isClosed = false

    init(capacity: Int) {
        self.capacity = capacity
        lock = .allocate(capacity: 1)
        notEmpty = .allocate(capacity: 1)
        notFull = .allocate(capacity: 1)
        pthread_mutex_init(lock, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // Deadlines must not move when the clock is set.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(notEmpty, &attributes)
        pthread_cond_init(notFull, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(notEmpty)
        pthread_cond_destroy(notFull)
        pthread_mutex_destroy(lock)
        notEmpty.deallocate()
        notFull.deallocate()
        lock.deallocate()
    }

    /// The number of messages waiting, suspended senders included.
    var backlog: Int { locked { messages.count + suspended.count } }

    /// How many messages can be posted before a sender has to wait; 0 or less when it is full.
    var room: Int { locked { isClosed ? capacity : capacity - messages.count } }

    /// Enqueues `message`, blocking the calling thread while the mailbox is full.
    ///
    /// - Returns: false if the mailbox is closed and the message was dropped.
    @discardableResult
    func post(_ message: Message) -> Bool {
        locked {
            while messages.count >= capacity, !isClosed { pthread_cond_wait(notFull, lock) }
            return append(message)
        }
    }

    /// Enqueues `message`, suspending the calling task while the mailbox is full.
    ///
    /// - Returns: false if the mailbox is closed and the message was dropped.
    func send(_ message: Message) async -> Bool {
        await withCheckedContinuation { continuation in
            let accepted: Bool? = locked {
                if isClosed || (messages.count < capacity && suspended.isEmpty) { return append(message) }
                suspended.append((message, continuation))
                return nil
            }
            if let accepted { continuation.resume(returning: accepted) }
        }
    }

    /// Sends a message that carries a reply callback and suspends until the callback is called.
    ///
    /// - Throws: the error of the reply; ``EngineError/stopping`` if the mailbox is closed.
    func call<Reply: Sendable>(
        _ message: (_ reply: @escaping @Sendable (Result<Reply, any Error>) -> Void) -> Message
    ) async throws -> Reply {
        try await withCheckedThrowingContinuation { continuation in
            let message = message { continuation.resume(with: $0) }
            Task {
                if await !send(message) { continuation.resume(throwing: EngineError.stopping) }
            }
        }
    }

    /// How many messages to wait for once the first has arrived, and how long.
    struct BatchTarget {
        var count = 1
        var nanoseconds: Int64 = 0
    }

    /// Removes and returns the waiting messages, at most `limit`.
    ///
    /// - Parameters:
    ///   - timeout: how many nanoseconds to wait for the first message; nil waits forever, 0 not at all.
    ///   - batchTarget: how many messages to wait for after the first, and how long.
    /// - Returns: an empty array on timeout; nil when the mailbox is closed and empty.
    func receive(limit: Int, timeout: Int64?, batchTarget: BatchTarget = BatchTarget()) -> [Message]? {
        let (received, admitted) = locked { () -> ([Message]?, [CheckedContinuation<Bool, Never>]) in
            wait(for: 1, atMost: timeout)
            if !messages.isEmpty { wait(for: batchTarget.count, atMost: batchTarget.nanoseconds) }
            if messages.isEmpty { return (isClosed ? nil : [], []) }
            let received = Array(messages.prefix(limit))
            messages.removeFirst(received.count)
            let admitted = admitSuspended()
            pthread_cond_broadcast(notFull)
            return (received, admitted)
        }
        for continuation in admitted { continuation.resume(returning: true) }
        return received
    }

    /// Refuses new messages; those already enqueued are still delivered.
    func close() {
        let refused = locked {
            isClosed = true
            pthread_cond_broadcast(notEmpty)
            pthread_cond_broadcast(notFull)
            defer { suspended = [] }
            return suspended.map(\.continuation)
        }
        for continuation in refused { continuation.resume(returning: false) }
    }

    private func append(_ message: Message) -> Bool {
        guard !isClosed else { return false }
        messages.append(message)
        pthread_cond_signal(notEmpty)
        return true
    }

    private func admitSuspended() -> [CheckedContinuation<Bool, Never>] {
        let free = min(capacity - messages.count, suspended.count)
        guard free > 0 else { return [] }
        messages.append(contentsOf: suspended.prefix(free).map(\.message))
        defer { suspended.removeFirst(free) }
        return suspended.prefix(free).map(\.continuation)
    }

    private func wait(for count: Int, atMost nanoseconds: Int64?) {
        guard messages.count < count, !isClosed else { return }
        guard let nanoseconds else {
            while messages.count < count, !isClosed { pthread_cond_wait(notEmpty, lock) }
            return
        }
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        let total = Int64(deadline.tv_nsec) + nanoseconds
        deadline.tv_sec += Int(total / 1_000_000_000)
        deadline.tv_nsec = Int(total % 1_000_000_000)
        while messages.count < count, !isClosed, nanoseconds > 0 {
            if pthread_cond_timedwait(notEmpty, lock, &deadline) == ETIMEDOUT { return }
        }
    }

    private func locked<T>(_ body: () -> T) -> T {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return body()
    }
}
