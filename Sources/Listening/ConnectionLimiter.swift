import Basics
import Synchronization

/// Limits the connections of a listener.
///
/// At the limit a new connection replaces the one that has been idle longest, of the peer with the most connections: a
/// peer that opens many replaces its own.
///
/// Safe to use from any thread.
public final class ConnectionLimiter: Sendable {
    /// One admitted connection.
    public final class Entry: Sendable {
        let peer: PeerKey
        private let lastActive: Atomic<Int64>
        private let isBusy: @Sendable () -> Bool
        fileprivate let evict: @Sendable () -> Void

        fileprivate init(
            _ peer: PeerKey, _ now: Int64, isBusy: @escaping @Sendable () -> Bool,
            evict: @escaping @Sendable () -> Void
        ) {
            (self.peer, self.isBusy, self.evict) = (peer, isBusy, evict)
            lastActive = Atomic(now)
        }

        fileprivate func isReplaceable(at now: Int64, grace: Int64) -> Bool { !isBusy() && idleTime(at: now) >= grace }
        fileprivate func idleTime(at now: Int64) -> Int64 { now - lastActive.load(ordering: .relaxed) }
        fileprivate func recordActivity(at now: Int64) { lastActive.store(now, ordering: .relaxed) }
    }

    private let entries = Locked<[ObjectIdentifier: Entry]>([:])
    private let count: Int
    private let reserved: Int
    private let grace: Int64
    private let now: @Sendable () -> Int64

    /// - Parameters:
    ///   - count: the maximum number of connections.
    ///   - reserved: how many of them are reserved for privileged peers.
    ///   - grace: a connection that has been idle for less than this is not replaced.
    ///   - now: the nanoseconds of a monotonic clock.
    public init(
        _ count: Int, reserved: Int = 0, grace: Duration = .zero,
        now: @escaping @Sendable () -> Int64 = ConnectionLimiter.monotonic
    ) {
        (self.count, self.now) = (count, now)
        self.reserved = min(reserved, count)
        self.grace = Int64(grace / .nanoseconds(1))
    }

    private static let start = ContinuousClock.now
    /// A monotonic clock, in nanoseconds since its first use.
    public static let monotonic: @Sendable () -> Int64 = { Int64((ContinuousClock.now - start) / .nanoseconds(1)) }

    /// Admits a connection; at the limit, one that replaces an earlier one.
    ///
    /// - Parameters:
    ///   - isBusy: whether the connection is waiting for us, in which case it is not replaced.
    ///   - evict: closes the connection; called once, on any thread, when another connection has replaced it.
    /// - Returns: nil if the limit is reached and no connection may be replaced.
    public func admit(
        _ peer: PeerKey, isPrivileged: Bool = false, isBusy: @escaping @Sendable () -> Bool,
        evict: @escaping @Sendable () -> Void
    ) -> Entry? {
        let now = now()
        let entry = Entry(peer, now, isBusy: isBusy, evict: evict)
        let limit = isPrivileged ? count : count - reserved
        let (isAdmitted, victim) = entries.withLock { entries -> (Bool, Entry?) in
            var victim: Entry?
            if entries.count >= limit {
                victim = connectionToReplace(among: entries.values, at: now)
                guard let victim else { return (false, nil) }
                entries[ObjectIdentifier(victim)] = nil
            }
            entries[ObjectIdentifier(entry)] = entry
            return (true, victim)
        }
        victim?.evict()
        return isAdmitted ? entry : nil
    }

    /// Records useful activity: the idle time of the connection starts anew.
    public func recordActivity(of entry: Entry) { entry.recordActivity(at: now()) }

    /// Removes a connection that has ended.
    public func leave(_ entry: Entry) { entries.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(entry)) } }

    private func connectionToReplace(among entries: some Collection<Entry>, at now: Int64) -> Entry? {
        var (owners, peers): ([PeerKey.Owner: Int], [PeerKey: Int]) = ([:], [:])
        for entry in entries {
            owners[entry.peer.owner, default: 0] += 1
            peers[entry.peer, default: 0] += 1
        }
        func weight(_ entry: Entry) -> (Int, Int, Int64) {
            (owners[entry.peer.owner] ?? 0, peers[entry.peer] ?? 0, entry.idleTime(at: now))
        }
        return entries.filter { $0.isReplaceable(at: now, grace: grace) }.max { weight($0) < weight($1) }
    }
}
