import LineProtocol
import NIOCore
import NIOPosix
public import TimeSeries

/// Line protocol on a Unix stream socket.
///
/// Whole lines are committed as they come; reading stops while a commit is on its way. A bad line is answered with
/// `line:column: reason`, and when the sender has finished it is told `accepted N refused M` — after everything is on
/// disk.
public struct LineListener: Sendable {
    private let path: String
    private let ingest: @Sendable ([IncomingReading]) async throws -> (accepted: Int, refused: Int)
    /// A longer line without an end is refused and closes the connection.
    private static let longestLine = 65_536

    /// - Parameter ingest: commits, and returns how many readings were accepted and refused.
    public init(
        path: String, ingest: @escaping @Sendable ([IncomingReading]) async throws -> (accepted: Int, refused: Int)
    ) {
        self.path = path
        self.ingest = ingest
    }

    private typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// Serves until the task is cancelled.
    public func run() async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try Connection(
                        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
                }
            }
        try await server.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                for try await connection in connections {
                    group.addTask { try? await self.serve(connection) }
                }
            }
        }
    }

    private func serve(_ connection: Connection) async throws {
        try await connection.executeThenClose { inbound, outbound in
            var session = Session()
            for try await buffer in inbound {
                session.pending += buffer.readableBytesView
                guard session.pending.count <= Self.longestLine || session.pending.contains(0x0A) else {
                    let text = "\(session.line):1: a line has more than \(Self.longestLine) bytes\n"
                    return try await outbound.write(ByteBuffer(string: text))
                }
                try await commit(session.takeLines(), &session, outbound)
            }
            try await commit(session.takeRest(), &session, outbound)
            try await outbound.write(
                ByteBuffer(string: "accepted \(session.accepted) refused \(session.refused)\n"))
        }
    }

    private struct Session {
        var pending: [UInt8] = []
        var line = 1
        var accepted = 0
        var refused = 0

        /// The complete lines.
        mutating func takeLines() -> [UInt8] {
            guard let end = pending.lastIndex(of: 0x0A) else { return [] }
            let lines = Array(pending[...end])
            pending.removeSubrange(...end)
            return lines
        }

        mutating func takeRest() -> [UInt8] {
            defer { pending = [] }
            return pending
        }
    }

    private func commit(
        _ lines: [UInt8], _ session: inout Session, _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws {
        guard !lines.isEmpty else { return }
        let batch = DecodedBatch(lineProtocol: lines, firstLine: session.line)
        session.line += lines.count { $0 == 0x0A }
        session.refused += batch.problems.count
        for problem in batch.problems { try await outbound.write(ByteBuffer(string: "\(problem)\n")) }
        guard !batch.readings.isEmpty else { return }
        do {
            let receipt = try await ingest(batch.readings)
            session.accepted += receipt.accepted
            session.refused += receipt.refused
        } catch {
            try await outbound.write(ByteBuffer(string: "\(error)\n"))
            throw error
        }
    }
}
