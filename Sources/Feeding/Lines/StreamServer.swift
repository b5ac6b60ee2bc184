import Basics
import Listening
import NIOCore
import NIOPosix

/// Accepts connections on a Unix socket or TCP, each served by a task of its own. At the limit, a new connection
/// replaces an idle one.
struct StreamServer<Inbound: Sendable, Outgoing: Sendable>: Sendable {
    typealias Streams = NIOAsyncChannel<Inbound, Outgoing>
    typealias Outbound = NIOAsyncChannelOutboundWriter<Outgoing>

    let address: ListenAddress
    let counters: FeedCounters
    let maximumConnections: Int
    let limits: SenderLimits
    let unfinished: MemoryBudget
    let log: @Sendable (String) -> Void

    /// An accepted connection; closes itself if it is released unserved, as when the server stops meanwhile.
    private final class Connection: Sendable {
        let sender: Sender
        let peer: PeerKey
        let channel: any Channel
        /// nil once they are served.
        private let streams: Locked<Streams?>

        init(_ streams: Streams, _ sender: Sender, _ peer: PeerKey) {
            (self.sender, self.peer, channel) = (sender, peer, streams.channel)
            self.streams = Locked(streams)
        }

        deinit {
            // SwiftNIO traps on streams that are released without ever having been used.
            if let streams = takeStreams() { Task { try? await streams.executeThenClose { _, _ in } } }
        }

        func takeStreams() -> Streams? { streams.withLock { $0.take() } }
    }

    /// Serves until the task is cancelled. An error of one connection ends only that one.
    func run(
        onListening: @Sendable (ListenAddress) -> Void,
        configure: @escaping @Sendable (any Channel) throws -> Void,
        serve: @escaping @Sendable (NIOAsyncChannelInboundStream<Inbound>, Outbound, Sender) async throws -> Void
    ) async throws {
        let (server, file) = try await bind(ConnectionLimiter(maximumConnections), configure)
        defer { file?.remove() }
        onListening(address.bound(to: server.channel.localAddress))
        try await server.serveConnections { connection in { await self.serve(connection, serve) } }
    }

    private func serve(
        _ connection: Connection,
        _ serve: @escaping @Sendable (NIOAsyncChannelInboundStream<Inbound>, Outbound, Sender) async throws -> Void
    ) async {
        let sender = connection.sender
        let isAdmitted = sender.admit(connection.peer) {
            counters.connectionReplaced()
            close(
                connection.channel, of: connection.peer, "it was silent for longest, and another connection replaced it"
            )
        }
        defer { sender.leave() }
        guard isAdmitted else {
            counters.connectionRefused()
            return
        }
        // An error here must not end the server.
        try? await connection.takeStreams()?.executeThenClose { try await serve($0, $1, sender) }
    }

    /// Closes a connection and logs the reason. What has arrived is not read further: half a line is not a line.
    private func close(_ channel: any Channel, of peer: PeerKey, _ reason: String) {
        log("closed a connection of \(peer) on \(address): \(reason)")
        // Deferred, because this channel may be the one that is being read.
        channel.eventLoop.execute {
            channel.pipeline.fireErrorCaught(SenderError(description: reason))
            channel.close(promise: nil)
        }
    }

    private func bind(
        _ limiter: ConnectionLimiter, _ configure: @escaping @Sendable (any Channel) throws -> Void
    ) async throws -> (NIOAsyncChannel<Connection, Never>, SocketFile?) {
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            // The lines of one read are committed together, and the usual first read of 2 KiB would make a small
            // commit.
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 65_536))
        let initialize: @Sendable (any Channel) -> EventLoopFuture<Connection> = { channel in
            channel.eventLoop.makeCompletedFuture { try setUp(channel, limiter, configure) }
        }
        switch address {
        case .unix(let path):
            let file = try SocketFile(path: path, .stream)
            return (try await bootstrap.bind(file.descriptor, childChannelInitializer: initialize), file)
        case .internet(let host, let port):
            do {
                return (try await bootstrap.bind(host: host, port: port, childChannelInitializer: initialize), nil)
            } catch let error as IOError {
                throw FeedingError(error, binding: address, "tcp")
            }
        }
    }

    private func setUp(
        _ channel: any Channel, _ limiter: ConnectionLimiter, _ configure: (any Channel) throws -> Void
    ) throws -> Connection {
        let pipeline = channel.pipeline.syncOperations
        let unix = try pipeline.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { PeerKey(unix: $0) }
        let peer = channel.remoteAddress?.ipAddress.map { PeerKey(.host($0)) } ?? unix ?? PeerKey(.unknown)
        let close: @Sendable (String) -> Void = { reason in self.close(channel, of: peer, reason) }
        let sender = Sender(unfinished.share(of: peer, close: close), limiter: limiter)
        try pipeline.addHandler(SenderGuard(sender, limits, close: close))
        try configure(channel)
        let streams = try Streams(
            wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        return Connection(streams, sender, peer)
    }
}
