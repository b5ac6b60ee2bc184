import LineProtocol
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOPosix

/// Line protocol over HTTP as InfluxDB's clients and Telegraf speak it, the daemon's numbers for Prometheus, and its
/// health.
///
/// `POST /write` and `POST /api/v2/write` answer 204 after the synced commit, or 400 with the line and the column of the
/// first problem; good lines are kept even then. Bodies may be gzipped; they are bounded, inflated too.
public struct HTTPListener: Sendable {
    /// What the listener asks the daemon.
    public struct Answers: Sendable {
        public var commit: LineIntake.Commit
        public var metrics: @Sendable () -> [Metric]
        /// What is wrong; nil when all is well.
        public var trouble: @Sendable () -> String?

        public init(
            commit: @escaping LineIntake.Commit, metrics: @escaping @Sendable () -> [Metric],
            trouble: @escaping @Sendable () -> String?
        ) {
            (self.commit, self.metrics, self.trouble) = (commit, metrics, trouble)
        }
    }

    private let address: ListenAddress
    private let counters: FeedCounters
    private let answers: Answers
    private let bodyLimit: Int
    private let idleLimit: TimeAmount

    /// - Parameters:
    ///   - bodyLimit: in bytes, after inflation.
    ///   - idleSeconds: a connection that is silent for longer is closed.
    public init(
        address: ListenAddress, counters: FeedCounters, bodyLimit: Int = 16_777_216, idleSeconds: Int64 = 60,
        answers: Answers
    ) {
        (self.address, self.counters, self.answers, self.bodyLimit) = (address, counters, answers, bodyLimit)
        idleLimit = .seconds(idleSeconds)
    }

    /// Serves until the task is cancelled.
    ///
    /// - Parameter onListening: called once, with the address that the system gave.
    public func run(onListening: @Sendable (ListenAddress) -> Void) async throws {
        let (bodyLimit, idleLimit, shelf) = (bodyLimit, idleLimit, DecoderShelf())
        let server = StreamServer<HTTPServerRequestPart, HTTPServerResponsePart>(
            address: address, counters: counters, maximumConnections: 64)
        try await server.run(onListening: onListening) { channel in
            let pipeline = channel.pipeline.syncOperations
            try pipeline.configureHTTPServerPipeline()
            try pipeline.addHandler(NIOHTTPRequestDecompressor(limit: .size(bodyLimit)))
            try pipeline.addHandler(IdleStateHandler(allTimeout: idleLimit))
            try pipeline.addHandler(CloseWhenIdle())
        } serve: { inbound, outbound in
            try await HTTPConversation(
                outbound: outbound, counters: counters, shelf: shelf, bodyLimit: bodyLimit, answers: answers
            ).serve(inbound)
        }
    }
}

private final class CloseWhenIdle: ChannelInboundHandler {
    typealias InboundIn = NIOAny

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}
