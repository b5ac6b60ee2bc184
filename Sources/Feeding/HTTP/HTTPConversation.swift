import LineProtocol
import NIOCore
import NIOHTTP1

/// Answers the requests of one connection, one after the other.
struct HTTPConversation {
    typealias Inbound = NIOAsyncChannelInboundStream<HTTPServerRequestPart>

    let outbound: NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>
    let counters: FeedCounters
    let pool: DecoderPool
    let bodyLimit: Int
    let answers: HTTPListener.Answers
    let sender: Sender

    func serve(_ inbound: Inbound) async throws {
        var parts = inbound.makeAsyncIterator()
        do {
            while case .head(let head)? = try await parts.next() {
                guard try await answer(head, &parts) else { return }
                sender.completed()
                sender.setHeld(0)
            }
        } catch let error as RequestBodyError {
            // The rest of the body cannot be read, so the connection must be closed.
            try await send(error == .tooLarge ? tooLarge : brokenBody, keepAlive: false)
        }
    }

    private var brokenBody: HTTPAnswer {
        HTTPAnswer(.badRequest, problem: "expected a whole gzip or deflate body", code: "invalid")
    }

    private var unknownCoding: HTTPAnswer {
        HTTPAnswer(
            .unsupportedMediaType, problem: "expected one Content-Encoding: \(ContentCoding.supported)",
            code: "unsupported media type", extra: [("Accept-Encoding", ContentCoding.supported)])
    }

    /// - Returns: whether the connection stays open.
    private func answer(_ head: HTTPRequestHead, _ parts: inout Inbound.AsyncIterator) async throws -> Bool {
        if let length = head.headers.first(name: "content-length").flatMap({ Int($0) }), length > bodyLimit {
            try await send(tooLarge, keepAlive: false)
            return false
        }
        guard let coding = ContentCoding(head.headers) else {
            try await send(unknownCoding, keepAlive: false)
            return false
        }
        if head.headers[canonicalForm: "expect"].contains(where: { $0.lowercased() == "100-continue" }) {
            try await outbound.write(.head(HTTPResponseHead(version: head.version, status: .continue)))
        }
        let body = try RequestBody(coding, limit: bodyLimit)
        while let part = try await parts.next() {
            switch part {
            case .head: return false
            case .body(let piece):
                try body.append(piece)
                sender.setHeld(body.bytes.readableBytes)
            case .end:
                try body.end()
                let reply = await sender.whileWorking { await answer(head, body.bytes) }
                try await send(reply, keepAlive: head.isKeepAlive)
                return head.isKeepAlive
            }
        }
        return false
    }

    private func answer(_ head: HTTPRequestHead, _ body: ByteBuffer) async -> HTTPAnswer {
        let target = WriteTarget(head.uri)
        if let dialect = target.dialect {
            guard head.method == .POST else { return .wrongMethod("POST") }
            guard !Self.isFromAnotherSite(head) else {
                return HTTPAnswer(.forbidden, problem: "expected no Origin of another site", code: "forbidden")
            }
            return await write(body, target, dialect)
        }
        guard ["/metrics", "/health"].contains(target.path) else {
            return HTTPAnswer(
                .notFound, problem: "expected /write, /api/v2/write, /metrics or /health", code: "not found")
        }
        guard head.method == .GET || head.method == .HEAD else { return .wrongMethod("GET") }
        var answer = target.path == "/metrics" ? .metrics(answers.metrics()) : HTTPAnswer.health(answers.trouble())
        answer.omitsBody = head.method == .HEAD
        return answer
    }

    /// Whether a page of another site sends it: a browser on this machine must not post readings for any page it shows.
    private static func isFromAnotherSite(_ head: HTTPRequestHead) -> Bool {
        guard let origin = head.headers.first(name: "origin") else { return false }
        let host = head.headers.first(name: "host") ?? ""
        return origin != "http://\(host)" && origin != "https://\(host)"
    }

    private func write(_ body: ByteBuffer, _ target: WriteTarget, _ dialect: WriteTarget.Dialect) async -> HTTPAnswer {
        guard let precision = target.precision else {
            return HTTPAnswer(.badRequest, problem: "expected the precision ns, us, ms or s", code: "invalid")
        }
        var intake = LineIntake(precision: precision, counters: counters, pool: pool, commit: answers.commit)
        defer { intake.finish() }
        do {
            let outcome = try await intake.ingest(body.readableBytesView, isWhole: true)
            return outcome.refused == 0 ? HTTPAnswer(.noContent) : .refused(outcome, dialect)
        } catch {
            // 503 makes clients keep their data and try again.
            return HTTPAnswer(
                .serviceUnavailable, problem: "\(error)", code: "unavailable", extra: [("Retry-After", "10")])
        }
    }

    private var tooLarge: HTTPAnswer {
        HTTPAnswer(
            .payloadTooLarge, problem: "expected a body of at most \(bodyLimit) bytes, inflated; send smaller batches",
            code: "request too large")
    }

    private func send(_ answer: HTTPAnswer, keepAlive: Bool) async throws {
        var headers = HTTPHeaders(answer.headers)
        if answer.status != .noContent { headers.add(name: "Content-Length", value: "\(answer.body.utf8.count)") }
        if !keepAlive { headers.add(name: "Connection", value: "close") }
        var parts = [
            HTTPServerResponsePart.head(HTTPResponseHead(version: .http1_1, status: answer.status, headers: headers))
        ]
        if !answer.body.isEmpty, !answer.omitsBody {
            parts.append(.body(.byteBuffer(ByteBuffer(string: answer.body))))
        }
        // All at once: each write is a round trip to the event loop.
        try await outbound.write(contentsOf: parts + [.end(nil)])
    }
}
