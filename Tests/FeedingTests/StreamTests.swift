import Feeding
import Glibc
import LineProtocol
import Listening
import TestSupport
import Testing
import TimeSeries

@Suite("Line protocol on streams", .timeLimit(.minutes(10)))
struct StreamTests {
    private func listener(
        _ address: ListenAddress, _ commits: Commits, _ precision: Precision = .nanoseconds
    ) -> LineListener {
        LineListener(address: address, precision: precision, counters: FeedCounters(), commit: commits.commit)
    }

    @Test("a sender over TCP is told what was wrong and, at the end, what is on disk")
    func answers() async throws {
        let commits = Commits()
        let answer = try await withListener(listener(.internet(host: "127.0.0.1", port: 0), commits).run) { address in
            try await exchange(address, "a f=1 5\nb f=x\nc f=-1\nd f=2 5")
        }
        #expect(
            answer == """
                2:5: expected a field value: 1.5, 3i, 3u, true or "text", not "x"
                3:1: c f: below zero
                accepted 2 refused 2

                """)
        #expect(commits.all.map(\.key.description) == ["a f", "d f"])
    }

    @Test("a Unix socket has its own precision, and a line may come in pieces, cut in a string too")
    func pieces() async throws {
        let (commits, folder) = (Commits(), try TemporaryFolder())
        let text = Array("a s=\"x\ny\",f=1 7\nb f=2 8\n".utf8)
        let address = ListenAddress.unix(path: folder.url.path + "/lines.sock")
        let answer = try await withListener(listener(address, commits, .seconds).run) { address in
            try await exchange(address, text.map { [$0] })
        }
        #expect(answer == "accepted 2 refused 0\n")
        #expect(commits.all.map(\.value) == [1, 2])
        #expect(commits.all.map(\.timestamp) == [.from(seconds: 7), .from(seconds: 8)])
    }

    @Test("a line without an end is refused before it fills the memory")
    func endless() async throws {
        let commits = Commits()
        let answer = try await withListener(listener(.internet(host: "127.0.0.1", port: 0), commits).run) { address in
            try await exchange(address, "a f=1\nb,t=" + String(repeating: "x", count: 70_000))
        }
        #expect(answer == "2:1: expected an end of the line within 65536 bytes\n")
        #expect(commits.all.count == 1)
    }

    @Test("connections beyond the limit are closed, and the others go on")
    func limit() async throws {
        let (commits, counters) = (Commits(), FeedCounters())
        var limits = LineListener.Limits()
        limits.connections = 0
        let listener = LineListener(
            address: .internet(host: "127.0.0.1", port: 0), precision: .nanoseconds, counters: counters,
            limits: limits, commit: commits.commit)
        let answer = try await withListener(listener.run) { try? await exchange($0, "a f=1\n") }
        #expect(answer ?? "" == "")
        #expect(counters.current.refusedConnections == 1)
        #expect(commits.all.isEmpty)
    }

    /// Runs `body` beside a listener on a Unix socket, with what it says of connections it closes.
    private func withLines(
        _ commits: Commits, _ limits: LineListener.Limits, counters: FeedCounters = FeedCounters(),
        unfinished: MemoryBudget = MemoryBudget(limit: 64 << 20),
        _ body: @Sendable (ListenAddress, String, AsyncStream<String>) async throws -> Void
    ) async throws {
        let (log, say) = AsyncStream.makeStream(of: String.self)
        let path = try TemporaryFolder().path("lines.sock")
        let listener = LineListener(
            address: .unix(path: path), precision: .nanoseconds, counters: counters, limits: limits,
            unfinished: unfinished, log: { say.yield($0) }, commit: commits.commit)
        try await withListener(listener.run) { try await body($0, path, log) }
    }

    @Test("silent senders make room for others, and what they left unfinished is no line")
    func crowd() async throws {
        let (commits, counters) = (Commits(), FeedCounters())
        var limits = LineListener.Limits()
        limits.connections = 1
        try await withLines(commits, limits, counters: counters) { address, path, log in
            for round in 1...3 {
                let silent = try await blocking {
                    let silent = try RawPeerBox(path)
                    silent.peer.send("whole f=1 5\nhalf f=2")
                    return silent
                }
                _ = await commits.wait(for: 2 * round - 1)
                let answer = try await exchange(address, "ok f=1 5\n")
                #expect(answer == "accepted 1 refused 0\n")
                let told = try await blocking { silent.peer.receive() }
                #expect(told.isEmpty)
            }
            let line = try #require(await log.first { _ in true })
            #expect(line.contains("uid \(getuid()), pid \(getpid())"))
            #expect(line.contains("it was silent for longest, and another connection replaced it"))
        }
        #expect(counters.current.replacedConnections >= 3)
        #expect(counters.current.refusedConnections == 0)
        #expect(Set(commits.all.map(\.key.description)) == ["whole f", "ok f"])
    }

    @Test("a sender whose commit is on its way keeps its place")
    func working() async throws {
        let (commits, counters) = (Commits(), FeedCounters())
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        var limits = LineListener.Limits()
        limits.connections = 1
        let listener = LineListener(
            address: .internet(host: "127.0.0.1", port: 0), precision: .nanoseconds, counters: counters, limits: limits
        ) { readings in
            begin.yield()
            for await _ in gate {}
            return try await commits.commit(readings)
        }
        try await withListener(listener.run) { address in
            async let first = exchange(address, "a f=1 5\n")
            _ = await begun.first { _ in true }
            let second = (try? await exchange(address, "b f=1 5\n")) ?? ""
            #expect(second == "")
            open.finish()
            let answer = try await first
            #expect(answer == "accepted 1 refused 0\n")
        }
        #expect(counters.current.refusedConnections == 1)
    }

    @Test("a line that does not end, and a connection without one, are closed in time; half a line is no line")
    func slow() async throws {
        let commits = Commits()
        var limits = LineListener.Limits()
        limits.line = .milliseconds(50)
        try await withLines(commits, limits) { _, path, log in
            let answers = try await blocking {
                let peer = try RawPeer(path)
                peer.send("whole f=1 5\nhalf f=2")
                return peer.receive()
            }
            #expect(answers.isEmpty)
            #expect(await log.first { $0.contains("it did not complete a line or request within") } != nil)
        }
        limits.idle = .milliseconds(50)
        try await withLines(commits, limits) { _, path, log in
            let answers = try await blocking { try RawPeer(path).receive() }
            #expect(answers.isEmpty)
            #expect(await log.first { $0.contains("it sent nothing within") } != nil)
        }
        #expect(commits.all.map(\.key.description) == ["whole f"])
    }

    @Test("unfinished lines of all senders have one budget, and the largest is closed first")
    func budget() async throws {
        let commits = Commits()
        try await withLines(commits, LineListener.Limits(), unfinished: MemoryBudget(limit: 80_000)) { _, path, log in
            let boxes = try await blocking {
                let boxes = [try RawPeerBox(path), try RawPeerBox(path)]
                boxes[0].peer.send("a,t=" + String(repeating: "x", count: 40_000))
                boxes[1].peer.send("b,t=" + String(repeating: "x", count: 60_000))
                return boxes
            }
            #expect(await log.first { $0.contains("all unfinished messages together hold more than") } != nil)
            #expect(try await blocking { boxes[1].peer.receive() }.isEmpty)
            #expect(try await blocking { boxes[0].peer.send(" f=1 5\n") })
            #expect(await commits.wait(for: 1).count == 1)
        }
    }

    @Test("a second listener does not take a living one's socket, and a socket's path is too long with a reason")
    func socketFile() async throws {
        try await withLines(Commits(), LineListener.Limits()) { address, path, _ in
            await #expect(throws: SocketFileError.inUse(path)) { try await listener(address, Commits()).run { _ in } }
            let datagrams = DatagramListener(
                address: address, precision: .nanoseconds, counters: FeedCounters(), commit: Commits().commit)
            await #expect(throws: SocketFileError.inUse(path)) { try await datagrams.run { _ in } }
            let answer = try await exchange(address, "a f=1 5\n")
            #expect(answer == "accepted 1 refused 0\n")
        }
        let long = "/tmp/" + String(repeating: "x", count: 120)
        await #expect(throws: SocketFileError.pathTooLong(long, bytes: 125, limit: 107)) {
            try await listener(.unix(path: long), Commits()).run { _ in }
        }
    }

    @Test(
        "an address without a host is this machine's alone",
        arguments: [
            ("8089", "127.0.0.1:8089"), (":8089", "127.0.0.1:8089"), ("0.0.0.0:1", "0.0.0.0:1"),
            ("[::1]:80", "[::1]:80"),
        ])
    func addresses(_ text: String, _ expected: String) {
        #expect(ListenAddress(text)?.description == expected)
        #expect(ListenAddress(text + "x") == nil)
    }
}

/// A ``RawPeer`` that is handed from thread to thread, never used by two at once.
private struct RawPeerBox: @unchecked Sendable {
    let peer: RawPeer
    init(_ path: String) throws { peer = try RawPeer(path) }
}
