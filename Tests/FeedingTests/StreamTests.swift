import Feeding
import LineProtocol
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
        let listener = LineListener(
            address: .internet(host: "127.0.0.1", port: 0), precision: .nanoseconds, counters: counters,
            maximumConnections: 0, commit: commits.commit)
        let answer = try await withListener(listener.run) { try? await exchange($0, "a f=1\n") }
        #expect(answer ?? "" == "")
        #expect(counters.current.refusedConnections == 1)
        #expect(commits.all.isEmpty)
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
