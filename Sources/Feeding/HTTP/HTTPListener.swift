import LineProtocol
public import Listening
import NIOCore
import NIOHTTP1
import NIOPosix

/// Serves line protocol over HTTP as InfluxDB's clients and Telegraf speak it, the daemon's metrics for Prometheus, and
/// its health.
///
/// `POST /write` and `POST /api/v2/write` answer 204 after the synced commit, or 400 with the line and the column of
/// the first problem; good lines are kept even then. Bodies may be compressed with gzip or deflate; their size is
/// limited before and after inflation.
public struct HTTPListener: Sendable {
    /// The functions of the daemon that the listener calls.
    public struct Answers: Sendable {
        /// Commits readings.
        public var commit: LineIntake.Commit
        /// The current metrics, for `/metrics`.
        public var metrics: @Sendable () -> [Metric]
        /// What is wrong, for `/health`; nil if nothing is.
        public var trouble: @Sendable () -> String?

        public init(
            commit: @escaping LineIntake.Commit, metrics: @escaping @Sendable () -> [Metric],
            trouble: @escaping @Sendable () -> String?
        ) {
            (self.commit, self.metrics, self.trouble) = (commit, metrics, trouble)
        }
    }

    /// Limits on the number of clients, their speed and the size of their bodies.
    public struct Limits: Sendable {
        /// When there are more, the one that has been idle longest is closed.
        public var connections = 64
        /// The size of a body in bytes, both as received and after inflation.
        public var body = 16_777_216
        /// How long a connection may be open without a request.
        public var idle = Duration.seconds(60)
        /// How long a request may take from its first byte to its last, unless it arrives at 1,024 bytes a second or
        /// more.
        public var request = Duration.seconds(30)

        public init() {}
    }

    private let counters: FeedCounters
    private let answers: Answers
    private let bodyLimit: Int
    private let server: StreamServer<HTTPServerRequestPart, HTTPServerResponsePart>

    /// - Parameters:
    ///   - unfinished: the memory for unfinished messages of all listeners.
    ///   - log: called with a line for each connection that was closed for a reason.
    public init(
        address: ListenAddress, counters: FeedCounters, limits: Limits = Limits(),
        unfinished: MemoryBudget = MemoryBudget(limit: 64 << 20), log: @escaping @Sendable (String) -> Void = { _ in },
        answers: Answers
    ) {
        (self.counters, self.answers, bodyLimit) = (counters, answers, limits.body)
        server = StreamServer(
            address: address, counters: counters, maximumConnections: limits.connections,
            limits: SenderLimits(idle: limits.idle, unit: limits.request, rate: 1_024), unfinished: unfinished, log: log
        )
    }

    /// Serves until the task is cancelled.
    ///
    /// - Parameter onListening: called once, with the address that the system assigned.
    /// - Throws: ``SocketFileError``, ``FeedingError`` or NIO's errors if it cannot listen.
    public func run(onListening: @Sendable (ListenAddress) -> Void) async throws {
        let pool = DecoderPool()
        try await server.run(onListening: onListening) { channel in
            try channel.pipeline.syncOperations.configureHTTPServerPipeline()
        } serve: { inbound, outbound, sender in
            try await HTTPConversation(
                outbound: outbound, counters: counters, pool: pool, bodyLimit: bodyLimit, answers: answers,
                sender: sender
            ).serve(inbound)
        }
    }
}
