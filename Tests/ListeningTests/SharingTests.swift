import Listening
import Synchronization
import Testing

/// A clock turned by hand, in nanoseconds.
private final class HandClock: Sendable {
    private let time = Atomic<Int64>(0)
    var now: @Sendable () -> Int64 { { self.time.load(ordering: .relaxed) } }
    func pass(_ seconds: Int64) { time.add(seconds * 1_000_000_000, ordering: .relaxed) }
}

/// What was told, in order.
private final class Told: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func note(_ line: String) { lines.withLock { $0.append(line) } }
}

@Suite("What listeners share")
struct SharingTests {
    private static func process(_ pid: Int32, of uid: UInt32 = 1) -> PeerKey { PeerKey(.user(uid), process: pid) }
    private static let mebibyte = 1 << 20

    // MARK: Memory

    @Test("of the peer that holds most, the connection that holds most is closed first, until the rest fits")
    func budget() {
        let (budget, told) = (MemoryBudget(limit: 10 * Self.mebibyte), Told())
        func share(_ name: String, _ pid: Int32) -> MemoryBudget.Share {
            budget.share(of: Self.process(pid)) { _ in told.note(name) }
        }
        let shares = ["a", "b", "c"].map { share($0, 1) } + [share("large", 2), share("other", 3)]
        withExtendedLifetime(shares) {
            for (share, mebibytes) in zip([3, 4, 0, 1], [4, 1, 1, 2]) { shares[share].set(mebibytes * Self.mebibyte) }
            #expect(told.all.isEmpty)
            // Neither who makes it too much nor the largest of all, but of three that hold 7 MiB together the largest.
            shares[2].set(4 * Self.mebibyte)
            #expect(told.all == ["c"])
            #expect(budget.total == 8 * Self.mebibyte)
            shares[4].set(20 * Self.mebibyte)
            #expect(told.all == ["c", "other"])
            shares[4].set(0)
            #expect(budget.total == 7 * Self.mebibyte)
        }
    }

    @Test("who lets go of a share gives it back")
    func budgetEnd() {
        let budget = MemoryBudget(limit: Self.mebibyte)
        do {
            let share = budget.share(of: Self.process(1)) { _ in }
            share.set(Self.mebibyte)
            #expect(budget.total == Self.mebibyte)
        }
        #expect(budget.total == 0)
    }

    // MARK: ConnectionLimiter

    @Test("a newcomer gets the place of the longest silent connection of the peer that has most")
    func limiter() throws {
        let (clock, told) = (HandClock(), Told())
        let limiter = ConnectionLimiter(4, now: clock.now)
        func take(_ name: String, _ pid: Int32, busy: Bool = false) -> ConnectionLimiter.Entry? {
            clock.pass(1)
            return limiter.admit(Self.process(pid), isBusy: { busy }, evict: { told.note(name) })
        }
        // The only one of its peer, and silent for longest.
        _ = take("alone", 1)
        let crowd = try #require(take("first", 2))
        _ = take("second", 2)
        _ = take("busy", 2, busy: true)
        clock.pass(1)
        limiter.recordActivity(of: crowd)
        #expect(take("newcomer", 3) != nil)
        #expect(told.all == ["second"])
        #expect(take("another", 3) != nil)
        #expect(told.all == ["second", "first"])
    }

    @Test("of one user's many processes, each with a connection, the longest silent makes room, not another user's")
    func seatsOfUsers() {
        let (clock, told) = (HandClock(), Told())
        let limiter = ConnectionLimiter(4, now: clock.now)
        for (name, peer) in [("other's", Self.process(1, of: 7))] + (2...4).map({ ("\($0)", Self.process($0)) }) {
            clock.pass(1)
            _ = limiter.admit(peer, isBusy: { false }, evict: { told.note(name) })
        }
        _ = limiter.admit(Self.process(9), isBusy: { false }, evict: {})
        #expect(told.all == ["2"])
    }

    @Test("nobody who is waited for, or was useful within the grace, makes room; a place that is left is free")
    func seatsKept() throws {
        let clock = HandClock()
        let limiter = ConnectionLimiter(2, grace: .seconds(5), now: clock.now)
        func take(busy: Bool = false) -> ConnectionLimiter.Entry? {
            limiter.admit(Self.process(1), isBusy: { busy }, evict: {})
        }
        _ = take(busy: true)
        let quiet = try #require(take())
        clock.pass(4)
        #expect(take() == nil)
        limiter.leave(quiet)
        #expect(take() != nil)
        clock.pass(5)
        #expect(take() != nil)
    }

    @Test("the reserve is for the privileged alone")
    func reserve() {
        let limiter = ConnectionLimiter(3, reserved: 1, grace: .seconds(5), now: HandClock().now)
        func take(isPrivileged: Bool) -> Bool {
            limiter.admit(Self.process(1), isPrivileged: isPrivileged, isBusy: { false }, evict: {}) != nil
        }
        #expect(take(isPrivileged: false) && take(isPrivileged: false))
        #expect(!take(isPrivileged: false))
        #expect(take(isPrivileged: true))
        #expect(!take(isPrivileged: true))
    }

    // MARK: Turns

    @Test("no peer has more turns at once than its share, and of those that wait the longest without one goes first")
    func turns() async throws {
        let (turns, told) = (FairTurns(.init(total: 3, owner: 3, peer: 2)), Told())
        let (greedy, other) = (Self.process(1), Self.process(2))
        try await turns.acquire(greedy)
        try await turns.acquire(greedy)
        #expect(!turns.tryAcquire(greedy))
        await withThrowingTaskGroup(of: Void.self) { group in
            func wait(_ name: String, _ peer: PeerKey) async {
                let before = turns.waitingCount
                group.addTask {
                    try await turns.acquire(peer)
                    told.note(name)
                }
                while turns.waitingCount == before, !told.all.contains(name) { await Task.yield() }
            }
            await wait("third of the greedy", greedy)
            await wait("the other's first", other)
            #expect(told.all == ["the other's first"])
            await wait("fourth of the greedy", greedy)
            await wait("the other's second", other)
            turns.release(greedy)
            while told.all.count < 2 { await Task.yield() }
            turns.release(greedy)
            while told.all.count < 3 { await Task.yield() }
            #expect(
                Set(told.all) == ["the other's first", "third of the greedy", "the other's second"], "\(told.all)")
            group.cancelAll()
        }
        #expect(turns.waitingCount == 0)
    }

    @Test("who is cancelled while he waits has taken no turn")
    func cancelledTurn() async throws {
        let turns = FairTurns(.init(total: 1, owner: 1, peer: 1))
        try await turns.acquire(Self.process(1))
        let waiting = Task { try await turns.acquire(Self.process(2)) }
        while turns.waitingCount == 0 { await Task.yield() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        turns.release(Self.process(1))
        #expect(turns.tryAcquire(Self.process(3)))
    }

    // MARK: Log

    @Test("a flood of lines is counted, and told with the first line after it; a long one is cut")
    func throttle() {
        let (clock, told) = (HandClock(), Told())
        let log = LogThrottle(lines: 2, period: .seconds(10), now: clock.now) { told.note($0) }
        for number in 1...100 { log("line \(number)") }
        clock.pass(10)
        log(String(repeating: "x", count: 100_000))
        #expect(told.all.dropLast() == ["line 1", "line 2", "(98 more lines)"])
        #expect((told.all.last?.utf8.count ?? 0) < 1_100)
    }
}
