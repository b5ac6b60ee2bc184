public import LineProtocol
public import Listening
import NIOCore
import NIOPosix
import TimeSeries

/// Serves line protocol over streams: a Unix socket or TCP.
///
/// Complete lines are committed as they arrive; reading pauses while a commit is in progress. A bad line is answered
/// with `line:column: reason`. When the sender has finished it gets `accepted N refused M`, after everything is on
/// disk.
public struct LineListener: Sendable {
    /// Limits on the number of senders and their speed.
    public struct Limits: Sendable {
        /// When there are more, the one that has been idle longest is closed.
        public var connections = 256
        /// How long a connection may be open without a line.
        public var idle = Duration.seconds(3_600)
        /// How long a line may take from its first byte to its last.
        public var line = Duration.seconds(30)

        public init() {}
    }

    private let address: ListenAddress
    private let precision: Precision
    private let counters: FeedCounters
    private let server: StreamServer<ByteBuffer, ByteBuffer>
    private let commit: LineIntake.Commit
    private let pool = DecoderPool()
    /// In bytes. A longer line without an end is refused and closes the connection.
    private static let maximumLineLength = 65_536

    /// - Parameters:
    ///   - unfinished: the memory for unfinished messages of all listeners.
    ///   - log: called with a line for each connection that was closed for a reason.
    public init(
        address: ListenAddress, precision: Precision, counters: FeedCounters, limits: Limits = Limits(),
        unfinished: MemoryBudget = MemoryBudget(limit: 64 << 20), log: @escaping @Sendable (String) -> Void = { _ in },
        commit: @escaping LineIntake.Commit
    ) {
        (self.address, self.precision, self.counters, self.commit) = (address, precision, counters, commit)
        // No data rate excuses a slow line, because a line is short.
        let times = SenderLimits(idle: limits.idle, unit: limits.line, rate: .max)
        server = StreamServer(
            address: address, counters: counters, maximumConnections: limits.connections, limits: times,
            unfinished: unfinished, log: log)
    }

    /// Serves until the task is cancelled.
    ///
    /// - Parameter onListening: called once, with the address that the system assigned.
    /// - Throws: ``SocketFileError``, ``FeedingError`` or NIO's errors if it cannot listen.
    public func run(onListening: @Sendable (ListenAddress) -> Void) async throws {
        try await server.run(onListening: onListening, configure: { _ in }, serve: serve)
    }

    @Sendable
    private func serve(
        _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>, _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>,
        _ sender: Sender
    ) async throws {
        var intake = LineIntake(precision: precision, counters: counters, pool: pool, commit: commit)
        defer { intake.finish() }
        var pending = ByteBuffer()
        var (accepted, refused) = (0, 0)
        func ingest(isWhole: Bool) async throws {
            do {
                let outcome = try await sender.whileWorking {
                    try await intake.ingest(pending.readableBytesView, isWhole: isWhole)
                }
                pending.moveReaderIndex(forwardBy: outcome.consumed)
                if outcome.consumed > 0 { sender.completed(rest: pending.readableBytes) }
                accepted += outcome.accepted
                refused += outcome.refused
                let answer = outcome.problems.map { "\($0)\n" }.joined().visible
                if !answer.isEmpty { try await outbound.write(ByteBuffer(string: answer)) }
            } catch {
                try await outbound.write(ByteBuffer(string: "\(error)\n"))
                throw error
            }
        }
        for try await var buffer in inbound {
            pending.discardReadBytes()
            pending.writeBuffer(&buffer)
            try await ingest(isWhole: false)
            sender.setHeld(pending.readableBytes)
            guard pending.readableBytes <= Self.maximumLineLength else {
                let text = "\(intake.line):1: expected an end of the line within \(Self.maximumLineLength) bytes\n"
                return try await outbound.write(ByteBuffer(string: text))
            }
        }
        try await ingest(isWhole: true)
        try await outbound.write(ByteBuffer(string: "accepted \(accepted) refused \(refused)\n"))
    }
}
