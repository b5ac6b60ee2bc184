import Feeding
import Foundation
import LineProtocol
import Listening
import NIOCore
import NIOPosix
import Testing
import TimeSeries

@Suite("Line protocol over HTTP", .timeLimit(.minutes(10)))
struct HTTPTests {
    private struct Full: Error, CustomStringConvertible { let description = "the disk is full" }

    private func withHTTP<Result: Sendable>(
        _ commits: Commits, commit: LineIntake.Commit? = nil, trouble: String? = nil, bodyLimit: Int = 10_000,
        connections: Int = 64, unfinished: MemoryBudget = MemoryBudget(limit: 64 << 20),
        _ body: @Sendable (ListenAddress) async throws -> Result
    ) async throws -> Result {
        let answers = HTTPListener.Answers(
            commit: commit ?? commits.commit,
            metrics: {
                [
                    Metric("up_total", .counter, help: "A \\ and\na line.", 3),
                    Metric(
                        "by", .gauge, help: "Labels.",
                        values: [
                            ([(name: "why", value: "a \"b\"")], 1), ([(name: "why", value: "unknown")], .infinity),
                        ]),
                ]
            }, trouble: { trouble })
        var limits = HTTPListener.Limits()
        limits.body = bodyLimit
        limits.connections = connections
        let listener = HTTPListener(
            address: .internet(host: "127.0.0.1", port: 0), counters: FeedCounters(), limits: limits,
            unfinished: unfinished, answers: answers)
        return try await withListener(listener.run, body)
    }

    private func request(_ head: String, headers: [String] = [], body: [UInt8] = []) -> [UInt8] {
        let lines = ["\(head) HTTP/1.1", "Host: x", "Connection: close", "Content-Length: \(body.count)"] + headers
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body
    }

    private func post(
        _ target: String, _ body: String, to address: ListenAddress, headers: [String] = []
    ) async throws -> String {
        try await exchange(address, [request("POST \(target)", headers: headers, body: Array(body.utf8))])
    }

    @Test(
        "a page of another site cannot write through a browser on this machine; one of this daemon can",
        arguments: [
            ("http://evil.example", false), ("null", false), ("http://x:81", false), ("http://x", true),
            ("https://x", true),
        ])
    func origin(_ origin: String, _ isAllowed: Bool) async throws {
        let commits = Commits()
        let answer = try await withHTTP(commits) {
            try await post("/write", "m f=1 5\n", to: $0, headers: ["Origin: \(origin)"])
        }
        #expect(answer.hasPrefix(isAllowed ? "HTTP/1.1 204 " : "HTTP/1.1 403 "), "\(answer)")
        #expect(commits.all.count == (isAllowed ? 1 : 0))
    }

    @Test(
        "both write paths answer 204 after the commit, and know their dialects' precisions",
        arguments: [
            ("/write?db=d&precision=u", 5_000), ("/write", 5), ("/write?precision=n", 5),
            ("/api/v2/write?org=o&bucket=b&precision=ms", 5_000_000), ("/api/v2/write?precision=s", 5_000_000_000),
            ("/api/v2/write?precision=us", 5_000),
        ])
    func written(_ target: String, _ time: Int64) async throws {
        let commits = Commits()
        let answer = try await withHTTP(commits) { try await post(target, "m,a=b f=1,s=\"x\" 5\n", to: $0) }
        #expect(answer.hasPrefix("HTTP/1.1 204 No Content\r\n"))
        #expect(commits.all.map(\.timestamp) == [Timestamp(nanoseconds: time)])
    }

    @Test("400 names line and column in InfluxDB's form, and the good lines are kept")
    func refused() async throws {
        let commits = Commits()
        let answer = try await withHTTP(commits) { try await post("/api/v2/write", "m f=1\nm f=\nm f=2", to: $0) }
        #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        let body = try #require(answer.components(separatedBy: "\r\n\r\n").last)
        let error = try #require(try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
        #expect(error["code"] as? String == "invalid")
        #expect(error["line"] as? Int == 2)
        #expect((error["message"] as? String)?.hasPrefix("2:5: expected a field value") == true)
        #expect(error["error"] as? String == error["message"] as? String)
        #expect(commits.all.map(\.value) == [1, 2])
    }

    @Test("a commit that fails is 503, so that the client keeps the lines")
    func unavailable() async throws {
        let commits = Commits()
        let answer = try await withHTTP(commits, commit: { _ in throw Full() }) {
            try await post("/write", "m f=1", to: $0)
        }
        #expect(answer.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
        #expect(answer.contains("Retry-After: 10\r\n"))
        #expect(answer.contains("the disk is full"))
    }

    @Test("a gzipped body is inflated, up to the limit; a broken one is refused")
    func gzip() async throws {
        // gzip of "m f=1\n" and of 20,000 zeros, made by Python's gzip module.
        let small = try #require(Data(base64Encoded: Self.small))
        let bomb = try #require(Data(base64Encoded: Self.bomb))
        let commits = Commits()
        let answers = try await withHTTP(commits) { address in
            var answers: [String] = []
            for body in [small, bomb, Data([1, 2, 3, 4]), small.dropLast(10)] {
                let bytes = request("POST /write", headers: ["Content-Encoding: gzip"], body: Array(body))
                answers.append(try await exchange(address, [bytes]))
            }
            return answers
        }
        #expect(answers[0].hasPrefix("HTTP/1.1 204"))
        #expect(answers[1].hasPrefix("HTTP/1.1 413"))
        #expect(answers[2].hasPrefix("HTTP/1.1 400"))
        #expect(answers[3].hasPrefix("HTTP/1.1 400"))
        #expect(commits.all.count == 1)
    }

    @Test("a gzip body may be of several members, bounded together; what follows them is refused")
    func members() async throws {
        // Of "m f=1\n", nothing and "m f=2\n"; of "m f=3\n" in zlib's format; and twice 6,000 zeros, by Python.
        let two = try #require(Data(base64Encoded: Self.members))
        let deflated = try #require(Data(base64Encoded: Self.deflated))
        let bombs = try #require(Data(base64Encoded: Self.bombs))
        let commits = Commits()
        let answers = try await withHTTP(commits) { address in
            func answer(_ coding: String, _ body: Data) async throws -> String {
                let bytes = request("POST /write", headers: ["Content-Encoding: \(coding)"], body: Array(body))
                return String(try await exchange(address, [bytes]).prefix(12))
            }
            return [
                try await answer("gzip", two), try await answer("GZIP", two + Data("junk".utf8)),
                try await answer("gzip", two.dropLast(1)), try await answer("gzip", bombs),
                try await answer("deflate", deflated), try await answer("deflate", deflated + deflated),
                try await answer("identity", Data("m f=4\n".utf8)),
            ]
        }
        #expect(
            answers == ["204", "400", "400", "413", "204", "400", "204"].map { "HTTP/1.1 \($0)" }, "\(answers)")
        #expect(commits.all.map(\.value) == [1, 2, 3, 4])
    }

    @Test(
        "a body in a coding that is not known is refused with those that are, and not read as text",
        arguments: ["br", "zstd", "gzip, gzip", "compress", "identity, br"])
    func unknownCoding(_ coding: String) async throws {
        let commits = Commits()
        let answer = try await withHTTP(commits) {
            try await post("/write", "m f=1 5\n", to: $0, headers: ["Content-Encoding: \(coding)"])
        }
        #expect(answer.hasPrefix("HTTP/1.1 415 Unsupported Media Type\r\n"))
        #expect(answer.contains("Accept-Encoding: gzip, deflate, identity\r\n"))
        #expect(commits.all.isEmpty)
    }

    @Test("clients that never end their requests make room, and bodies that do not end have one budget")
    func unfinished() async throws {
        let (commits, body) = (Commits(), String(repeating: "x", count: 60_000))
        let budget = MemoryBudget(limit: 100_000)
        try await withHTTP(commits, bodyLimit: 1_000_000, connections: 2, unfinished: budget) { address in
            let head = "POST /write HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
            let first = try await connection(to: address)
            try await first.writeAndFlush(ByteBuffer(string: head + body)).get()
            let second = try await connection(to: address)
            // It may be closed before all of it is written.
            try? await second.writeAndFlush(ByteBuffer(string: head + body + body)).get()
            // Both are the largest part of what one peer holds, one of them too much.
            try await second.closeFuture.get()
            for number in 1...5 {
                #expect(try await post("/write", "m f=\(number) 5\n", to: address).hasPrefix("HTTP/1.1 204"))
            }
            let third = try await connection(to: address)
            try await third.writeAndFlush(ByteBuffer(string: head + "x")).get()
            for number in 1...5 {
                #expect(try await post("/write", "m f=\(number) 6\n", to: address).hasPrefix("HTTP/1.1 204"))
            }
            try await first.closeFuture.get()
            try? await third.close().get()
        }
        #expect(commits.all.count == 10)
    }

    private func connection(to address: ListenAddress) async throws -> any Channel {
        guard case .internet(let host, let port) = address else { throw CancellationError() }
        return try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: host, port: port).get()
    }

    @Test("a body beyond the limit is refused, announced or not")
    func tooLarge() async throws {
        let commits = Commits()
        let body = String(repeating: "m f=1\n", count: 2_000)
        let answers = try await withHTTP(commits) { address in
            let chunked =
                "POST /write HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2EE0\r\n\(body)\r\n0\r\n\r\n"
            return [try await post("/write", body, to: address), try await exchange(address, chunked)]
        }
        for answer in answers { #expect(answer.hasPrefix("HTTP/1.1 413 Payload Too Large\r\n"), "\(answer)") }
        #expect(commits.all.isEmpty)
    }

    @Test("one connection carries several requests, and what is not there is said")
    func several() async throws {
        let commits = Commits()
        let answer = try await withHTTP(commits, trouble: "the disk is full") { address in
            try await exchange(
                address,
                "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\nHEAD /health HTTP/1.1\r\nHost: x\r\n\r\n"
                    + "GET /write HTTP/1.1\r\nHost: x\r\n\r\nGET /other HTTP/1.1\r\nHost: x\r\n\r\n"
                    + "POST /write?precision=h HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        }
        let codes = answer.components(separatedBy: "HTTP/1.1 ").dropFirst().map { String($0.prefix(3)) }
        #expect(codes == ["200", "503", "405", "404", "400"])
        #expect(answer.contains("# HELP up_total A \\\\ and\\na line.\n# TYPE up_total counter\nup_total 3.0\n"))
        #expect(answer.contains("by{why=\"a \\\"b\\\"\"} 1.0\n"))
        #expect(!answer.contains("unknown"), "a number that is not finite is left out")
        #expect(answer.contains("Allow: POST\r\n"))
    }

    private static let members =
        "H4sIAAAAAAACA8tVSLM15AIAk6If0AYAAAAfiwgAAAAAAAIDAwAAAAAAAAAAAB+LCAAAAAAAAgPLVUizNeICAFDxMvsGAAAA"
    private static let deflated = "eJzLVUizNeYCAAXzAW4="
    private static let bombs =
        "H4sIAAAAAAACA+3BMQEAAADCoPVPbQhfoAAAAAAAgNcAxA3c/HAXAAAfiwgAAAAAAAID7cExAQAAAMKg9U9tCF+gAAAAAACA1wDEDdz8cBcAAA=="
    private static let small = "H4sIAAAAAAACA8tVSLM15AIAk6If0AYAAAA="
    private static let bomb = "H4sIAAAAAAACA+3BMQEAAADCoErrn84aHkABAAAAAAAAAAAAAAAAAAAAAAAA8GC9DxuMIE4AAA=="
}
