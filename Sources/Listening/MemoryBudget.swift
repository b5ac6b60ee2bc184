import Basics
import Synchronization

/// A limit on the memory held for many connections together.
///
/// If it is exceeded, not the connection that exceeds it is closed, but the one that holds most, of the peer that holds
/// most in total, until the rest fits.
///
/// Safe to use from any thread.
public final class MemoryBudget: Sendable {
    fileprivate struct Holder {
        var peer: PeerKey
        var bytes = 0
        var close: @Sendable (_ reason: String) -> Void
    }

    fileprivate struct Content {
        var holders: [Int: Holder] = [:]
        var byPeer: [PeerKey: Int] = [:]
        var total = 0
        var next = 0
    }

    private let limit: Int
    private let what: String
    private let content = Locked(Content())

    /// - Parameters:
    ///   - limit: in bytes.
    ///   - what: what is held, for the reason given when a connection is closed.
    public init(limit: Int, of what: String = "unfinished messages") { (self.limit, self.what) = (limit, what) }

    /// The bytes that all connections hold now.
    public var total: Int { content.withLock { $0.total } }

    /// One connection's share of the budget.
    public final class Share: Sendable {
        private let budget: MemoryBudget
        private let id: Int
        private let reported = Atomic(0)

        fileprivate init(_ budget: MemoryBudget, _ id: Int) { (self.budget, self.id) = (budget, id) }

        deinit { budget.remove(id) }

        /// Sets how many bytes the connection holds now, rounded down to 16 KiB so that short messages need no lock.
        public func set(_ bytes: Int) {
            let rounded = bytes & ~0x3FFF
            guard reported.exchange(rounded, ordering: .relaxed) != rounded else { return }
            budget.set(rounded, of: id)
        }
    }

    /// Registers a connection.
    ///
    /// - Parameter close: closes the connection; called at most once, on any thread, with the reason.
    public func share(of peer: PeerKey, close: @escaping @Sendable (_ reason: String) -> Void) -> Share {
        let id = content.withLock { content in
            content.next += 1
            content.holders[content.next] = Holder(peer: peer, close: close)
            return content.next
        }
        return Share(self, id)
    }

    private func set(_ bytes: Int, of id: Int) {
        let victims = content.withLock { content in
            content.set(bytes, of: id)
            var victims: [Holder] = []
            while content.total > limit, let largest = content.largest, let holder = content.remove(largest) {
                victims.append(holder)
            }
            return victims
        }
        for victim in victims {
            victim.close(
                "all \(what) together hold more than \(limit >> 20) MiB, and its \(victim.bytes >> 10) KiB "
                    + "are the largest part of the peer that holds most")
        }
    }

    private func remove(_ id: Int) { content.withLock { _ = $0.remove(id) } }
}

extension MemoryBudget.Content {
    /// Does nothing for a connection that was closed.
    fileprivate mutating func set(_ bytes: Int, of id: Int) {
        guard let holder = holders[id] else { return }
        holders[id]?.bytes = bytes
        add(bytes - holder.bytes, to: holder.peer)
    }

    fileprivate mutating func remove(_ id: Int) -> MemoryBudget.Holder? {
        guard let holder = holders.removeValue(forKey: id) else { return nil }
        add(-holder.bytes, to: holder.peer)
        return holder
    }

    private mutating func add(_ bytes: Int, to peer: PeerKey) {
        total += bytes
        byPeer[peer, default: 0] += bytes
        if byPeer[peer] == 0 { byPeer[peer] = nil }
    }

    fileprivate var largest: Int? {
        holders.max { a, b in
            (byPeer[a.value.peer] ?? 0, a.value.bytes, b.key) < (byPeer[b.value.peer] ?? 0, b.value.bytes, a.key)
        }?.key
    }
}
