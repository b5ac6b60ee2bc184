import Synchronization

/// A listener's places for connections. When all are taken, a newcomer gets the place of the one that did nothing useful
/// for longest, of the peer that has most: whoever takes many places takes them from himself.
///
/// For all threads.
public final class Seats: Sendable {
    /// One connection's place.
    public final class Seat: Sendable {
        let peer: PeerKey
        private let lastUseful: Atomic<Int64>
        private let isBusy: @Sendable () -> Bool
        fileprivate let unseat: @Sendable () -> Void

        fileprivate init(
            _ peer: PeerKey, _ now: Int64, isBusy: @escaping @Sendable () -> Bool,
            unseat: @escaping @Sendable () -> Void
        ) {
            (self.peer, self.isBusy, self.unseat) = (peer, isBusy, unseat)
            lastUseful = Atomic(now)
        }

        fileprivate func isReplaceable(at now: Int64, grace: Int64) -> Bool { !isBusy() && silence(at: now) >= grace }
        fileprivate func silence(at now: Int64) -> Int64 { now - lastUseful.load(ordering: .relaxed) }
        fileprivate func note(at now: Int64) { lastUseful.store(now, ordering: .relaxed) }
    }

    private let seats = Mutex<[ObjectIdentifier: Seat]>([:])
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
        _ count: Int, reserved: Int = 0, grace: Duration = .zero, now: @escaping @Sendable () -> Int64 = Seats.monotonic
    ) {
        (self.count, self.now) = (count, now)
        self.reserved = min(reserved, count)
        self.grace = Int64(grace / .nanoseconds(1))
    }

    private static let start = ContinuousClock.now
    public static let monotonic: @Sendable () -> Int64 = { Int64((ContinuousClock.now - start) / .nanoseconds(1)) }

    /// A place, an earlier connection's if there is no other.
    ///
    /// - Parameters:
    ///   - isBusy: whether the connection waits for us now; it keeps its place then.
    ///   - unseat: told, once, on any thread, that somebody else has the place; closes the connection.
    /// - Returns: nil if all are taken by connections that must not be replaced.
    public func take(
        _ peer: PeerKey, isPrivileged: Bool = false, isBusy: @escaping @Sendable () -> Bool,
        unseat: @escaping @Sendable () -> Void
    ) -> Seat? {
        let now = now()
        let seat = Seat(peer, now, isBusy: isBusy, unseat: unseat)
        let limit = isPrivileged ? count : count - reserved
        let (isTaken, victim) = seats.withLock { seats -> (Bool, Seat?) in
            var victim: Seat?
            if seats.count >= limit {
                victim = victimOf(seats.values, at: now)
                guard let victim else { return (false, nil) }
                seats[ObjectIdentifier(victim)] = nil
            }
            seats[ObjectIdentifier(seat)] = seat
            return (true, victim)
        }
        victim?.unseat()
        return isTaken ? seat : nil
    }

    /// The connection has done what it is there for: it counts as silent from now on.
    public func note(_ seat: Seat) { seat.note(at: now()) }

    public func leave(_ seat: Seat) { seats.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(seat)) } }

    private func victimOf(_ seats: some Collection<Seat>, at now: Int64) -> Seat? {
        var (owners, peers): ([PeerKey.Owner: Int], [PeerKey: Int]) = ([:], [:])
        for seat in seats {
            owners[seat.peer.owner, default: 0] += 1
            peers[seat.peer, default: 0] += 1
        }
        func weight(_ seat: Seat) -> (Int, Int, Int64) {
            (owners[seat.peer.owner] ?? 0, peers[seat.peer] ?? 0, seat.silence(at: now))
        }
        return seats.filter { $0.isReplaceable(at: now, grace: grace) }.max { weight($0) < weight($1) }
    }
}
