import Basics

/// A semaphore that is fair between peers: of those that wait, the peer whose last turn is longest ago goes first.
///
/// Safe to use from any thread.
public final class FairTurns: Sendable {
    /// How many may run at once.
    public struct Limits: Sendable {
        var total: Int
        var owner: Int
        var peer: Int

        /// - Parameters:
        ///   - owner: the limit for all processes of one user.
        ///   - peer: the limit for one process.
        public init(total: Int, owner: Int, peer: Int) { (self.total, self.owner, self.peer) = (total, owner, peer) }
    }

    fileprivate struct Waiting {
        var peer: PeerKey
        var continuation: CheckedContinuation<Void, any Error>
    }

    fileprivate struct Content {
        var total = 0
        var owners: [PeerKey.Owner: Int] = [:]
        var peers: [PeerKey: Int] = [:]
        /// In order of arrival.
        var waiting: [(id: Int, waiting: Waiting)] = []
        var cancelled: Set<Int> = []
        /// When each peer had its last turn, counted in turns; only for peers that run or wait.
        var lastTurns: [PeerKey: Int] = [:]
        var turn = 0
        var next = 0
    }

    private let limits: Limits
    private let content = Locked(Content())

    public init(_ limits: Limits) { self.limits = limits }

    /// How many callers are waiting.
    public var waitingCount: Int { content.withLock { $0.waiting.count } }

    /// Waits for the peer's turn, which ``release(_:)`` ends.
    ///
    /// - Throws: `CancellationError`, without having acquired the turn.
    public func acquire(_ peer: PeerKey) async throws {
        let id = content.withLock { content in
            content.next += 1
            return content.next
        }
        // The caller may have been cancelled just when it got its turn.
        defer { content.withLock { _ = $0.cancelled.remove(id) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let wasCancelled = content.withLock { content in
                    if content.cancelled.remove(id) != nil { return true }
                    content.waiting.append((id, Waiting(peer: peer, continuation: continuation)))
                    return false
                }
                if wasCancelled { return continuation.resume(throwing: CancellationError()) }
                admit()
            }
        } onCancel: {
            cancel(id)
        }
    }

    /// Acquires a turn if one is free now; returns whether it did.
    public func tryAcquire(_ peer: PeerKey) -> Bool { content.withLock { $0.tryAcquire(peer, limits) } }

    /// Ends a turn of the peer.
    public func release(_ peer: PeerKey) {
        content.withLock { $0.end(peer) }
        admit()
    }

    private func cancel(_ id: Int) {
        let waiting = content.withLock { content -> Waiting? in
            guard let index = content.waiting.firstIndex(where: { $0.id == id }) else {
                // It has its turn already, or has not started to wait.
                content.cancelled.insert(id)
                return nil
            }
            return content.waiting.remove(at: index).waiting
        }
        waiting?.continuation.resume(throwing: CancellationError())
    }

    private func admit() {
        while let next = content.withLock({ $0.admitNext(limits) }) { next.resume() }
    }
}

extension FairTurns.Content {
    fileprivate mutating func admitNext(_ limits: FairTurns.Limits) -> CheckedContinuation<Void, any Error>? {
        let candidates = waiting.indices.filter { mayRun(waiting[$0].waiting.peer, limits) }
        func key(_ index: Int) -> (Int, Int) { (lastTurns[waiting[index].waiting.peer] ?? 0, waiting[index].id) }
        guard let index = candidates.min(by: { key($0) < key($1) }) else { return nil }
        let chosen = waiting.remove(at: index).waiting
        begin(chosen.peer)
        return chosen.continuation
    }

    fileprivate mutating func tryAcquire(_ peer: PeerKey, _ limits: FairTurns.Limits) -> Bool {
        guard mayRun(peer, limits) else { return false }
        begin(peer)
        return true
    }

    private func mayRun(_ peer: PeerKey, _ limits: FairTurns.Limits) -> Bool {
        total < limits.total && (owners[peer.owner] ?? 0) < limits.owner && (peers[peer] ?? 0) < limits.peer
    }

    private mutating func begin(_ peer: PeerKey) {
        turn += 1
        total += 1
        owners[peer.owner, default: 0] += 1
        peers[peer, default: 0] += 1
        lastTurns[peer] = turn
    }

    fileprivate mutating func end(_ peer: PeerKey) {
        total -= 1
        owners[peer.owner, default: 1] -= 1
        peers[peer, default: 1] -= 1
        if owners[peer.owner] == 0 { owners[peer.owner] = nil }
        guard peers[peer] == 0 else { return }
        peers[peer] = nil
        if !waiting.contains(where: { $0.waiting.peer == peer }) { lastTurns[peer] = nil }
    }
}
