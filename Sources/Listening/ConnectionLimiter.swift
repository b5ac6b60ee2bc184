import Synchronization

/// Limits the connections of a listener. At the limit a newcomer replaces the connection that did nothing useful for
/// longest, of the peer that has most: whoever opens many connections replaces its own.
///
/// For all threads.
public final class ConnectionLimiter: Sendable {
    /// One admitted connection.
    public final class Entry: Sendable {
        let peer: PeerKey
        private let lastUseful: Atomic<Int64>
        private let isBusy: @Sendable () -> Bool
        fileprivate let evict: @Sendable () -> Void

        fileprivate init(
            _ peer: PeerKey, _ now: Int64, isBusy: @escaping @Sendable () -> Bool,
            evict: @escaping @Sendable () -> Void
        ) {
            (self.peer, self.isBusy, self.evict) = (peer, isBusy, evict)
            lastUseful = Atomic(now)
        }

        fileprivate func isReplaceable(at now: Int64, grace: Int64) -> Bool { !isBusy() && silence(at: now) >= grace }
        fileprivate func silence(at now: Int64) -> Int64 { now - lastUseful.load(ordering: .relaxed) }
        fileprivate func note(at now: Int64) { lastUseful.store(now, ordering: .relaxed) }
    }

    private let entries = Mutex<[ObjectIdentifier: Entry]>([:])
    private let count: Int
    private let reserved: Int
    private let grace: Int64
    private let now: @Sendable () -> Int64

    /// - Parameters:
    ///   - count: how many there are.
    ///   - reserved: how many of them only privileged peers get.
    ///   - grace: a connection that did something useful so lately is not replaced.
    ///   - now: nanoseconds of a clock that never goes back.
    public init(
        _ count: Int, reserved: Int = 0, grace: Duration = .zero,
        now: @escaping @Sendable () -> Int64 = ConnectionLimiter.monotonic
    ) {
        (self.count, self.now) = (count, now)
        self.reserved = min(reserved, count)
        self.grace = Int64(grace / .nanoseconds(1))
    }

    private static let start = ContinuousClock.now
    public static let monotonic: @Sendable () -> Int64 = { Int64((ContinuousClock.now - start) / .nanoseconds(1)) }

    /// Admits a connection, in place of an earlier one at the limit.
    ///
    /// - Parameters:
    ///   - isBusy: whether the connection waits for us now; it is not replaced then.
    ///   - evict: called once, on any thread, when another connection has replaced it; closes it.
    /// - Returns: nil if no connection may be replaced.
    public func admit(
        _ peer: PeerKey, isPrivileged: Bool = false, isBusy: @escaping @Sendable () -> Bool,
        evict: @escaping @Sendable () -> Void
    ) -> Entry? {
        let now = now()
        let entry = Entry(peer, now, isBusy: isBusy, evict: evict)
        let limit = isPrivileged ? count : count - reserved
        let (isTaken, victim) = entries.withLock { entries -> (Bool, Entry?) in
            var victim: Entry?
            if entries.count >= limit {
                victim = victimOf(entries.values, at: now)
                guard let victim else { return (false, nil) }
                entries[ObjectIdentifier(victim)] = nil
            }
            entries[ObjectIdentifier(entry)] = entry
            return (true, victim)
        }
        victim?.evict()
        return isTaken ? entry : nil
    }

    /// The connection has done what it is there for: it counts as silent from now on.
    public func note(_ entry: Entry) { entry.note(at: now()) }

    public func leave(_ entry: Entry) { entries.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(entry)) } }

    private func victimOf(_ entries: some Collection<Entry>, at now: Int64) -> Entry? {
        var (owners, peers): ([PeerKey.Owner: Int], [PeerKey: Int]) = ([:], [:])
        for entry in entries {
            owners[entry.peer.owner, default: 0] += 1
            peers[entry.peer, default: 0] += 1
        }
        func weight(_ entry: Entry) -> (Int, Int, Int64) {
            (owners[entry.peer.owner] ?? 0, peers[entry.peer] ?? 0, entry.silence(at: now))
        }
        return entries.filter { $0.isReplaceable(at: now, grace: grace) }.max { weight($0) < weight($1) }
    }
}
