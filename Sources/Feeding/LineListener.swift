public import LineProtocol
import NIOCore
import NIOPosix
import TimeSeries

/// Line protocol on a stream: a Unix socket or TCP.
///
/// Whole lines are committed as they come; reading stops while a commit is on its way. A bad line is answered with
/// `line:column: reason`, and when the sender has finished it is told `accepted N refused M`, after everything is on
/// disk.
public struct LineListener: Sendable {
    private let address: ListenAddress
    private let precision: Precision
    private let counters: FeedCounters
    private let maximumConnections: Int
    private let commit: LineIntake.Commit
    private let shelf = DecoderShelf()
    /// A longer line without an end is refused and closes the connection.
    private static let longestLine = 65_536

    /// - Parameter maximumConnections: more at a time are closed at once.
    public init(
        address: ListenAddress, precision: Precision, counters: FeedCounters, maximumConnections: Int = 256,
        commit: @escaping LineIntake.Commit
    ) {
        (self.address, self.precision, self.counters, self.commit) = (address, precision, counters, commit)
        self.maximumConnections = maximumConnections
    }

    /// Serves until the task is cancelled.
    ///
    /// - Parameter onListening: called once, with the address that the system gave.
    public func run(onListening: @Sendable (ListenAddress) -> Void) async throws {
        let server = StreamServer<ByteBuffer, ByteBuffer>(
            address: address, counters: counters, maximumConnections: maximumConnections)
        try await server.run(onListening: onListening, configure: { _ in }, serve: serve)
    }

    @Sendable
    private func serve(
        _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>, _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws {
        var intake = LineIntake(precision: precision, counters: counters, shelf: shelf, commit: commit)
        defer { intake.finish() }
        var pending = ByteBuffer()
        var (accepted, refused) = (0, 0)
        func take(isWhole: Bool) async throws {
            do {
                let outcome = try await intake.take(pending.readableBytesView, isWhole: isWhole)
                pending.moveReaderIndex(forwardBy: outcome.consumed)
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
            try await take(isWhole: false)
            guard pending.readableBytes <= Self.longestLine else {
                let text = "\(intake.line):1: expected an end of the line within \(Self.longestLine) bytes\n"
                return try await outbound.write(ByteBuffer(string: text))
            }
        }
        try await take(isWhole: true)
        try await outbound.write(ByteBuffer(string: "accepted \(accepted) refused \(refused)\n"))
    }
}
