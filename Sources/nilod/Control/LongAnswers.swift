import Basics
import ControlInterface
import Engine
import Listening

/// Answers that may take long: on threads of their own, so many at a time, of no peer more than its share, and cancelled
/// when the daemon stops.
///
/// A caller that goes away cancels its own by cancelling the task that waits for it.
final class LongAnswers: Sendable {
    private struct Content {
        var running: [Int: @Sendable () -> Void] = [:]
        var next = 0
        var isStopping = false
    }

    private let threads: TaskThreads
    /// Fewer than there are connections that read the database, so that a short question finds one.
    private let turns = FairTurns(FairTurns.Limits(total: 4, owner: 3, peer: 2))
    private let streams = FairTurns(FairTurns.Limits(total: 16, owner: 12, peer: 4))
    private let content = Locked(Content())

    /// - Throws: ``EngineError/threadFailed(name:code:)``.
    init() throws(EngineError) { threads = try TaskThreads(count: 8) }

    /// Runs `body` on the threads for long answers.
    ///
    /// - Throws: what `body` throws; `CancellationError` when the daemon stops.
    func run<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
        let task = Task(executorPreference: threads) { try await body() }
        let id = content.withLock { content -> Int? in
            guard !content.isStopping else { return nil }
            content.next += 1
            content.running[content.next] = { task.cancel() }
            return content.next
        }
        defer { if let id { content.withLock { $0.running[id] = nil } } }
        if id == nil { task.cancel() }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Runs `body` when it is the peer's turn. Between two turns of a stream a caller may be slow to read.
    func inTurn<Result>(of peer: PeerKey, _ body: () async throws -> Result) async throws -> Result {
        try await turns.acquire(peer)
        defer { turns.release(peer) }
        return try await body()
    }

    /// Runs `body`, which sends a stream as fast as its caller reads.
    ///
    /// - Throws: ``ControlError/busy(text:)`` when too many are open: slow readers would let the others wait for ever.
    func stream(to peer: PeerKey, _ body: () async throws -> Void) async throws {
        guard streams.tryAcquire(peer) else {
            throw ControlError.busy(text: "too many exports and backups are open: try again when one has ended").varlink
        }
        defer { streams.release(peer) }
        try await body()
    }

    /// Cancels all of them, and those that come later.
    func stop() {
        let running = content.withLock { content in
            content.isStopping = true
            return Array(content.running.values)
        }
        for cancel in running { cancel() }
    }
}
