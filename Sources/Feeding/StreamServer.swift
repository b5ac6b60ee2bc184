import NIOCore
import NIOPosix

/// Accepts connections on a Unix socket or TCP, each served by a task of its own, up to a number.
struct StreamServer<Inbound: Sendable, Outgoing: Sendable>: Sendable {
    typealias Outbound = NIOAsyncChannelOutboundWriter<Outgoing>
    private typealias Connection = NIOAsyncChannel<Inbound, Outgoing>

    let address: ListenAddress
    let counters: FeedCounters
    /// More at a time are closed at once.
    let maximumConnections: Int

    /// Serves until the task is cancelled. What one connection throws ends that one alone.
    func run(
        onListening: @Sendable (ListenAddress) -> Void,
        configure: @escaping @Sendable (any Channel) throws -> Void,
        serve: @escaping @Sendable (NIOAsyncChannelInboundStream<Inbound>, Outbound) async throws -> Void
    ) async throws {
        let server = try await bind(configure)
        onListening(address.bound(to: server.channel.localAddress))
        let places = Places(maximumConnections)
        try await server.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                for try await connection in connections {
                    group.addTask {
                        guard places.take() else {
                            counters.connectionRefused()
                            // Served by nothing: an error here must not end the server, nor a channel go unserved.
                            return _ = try? await connection.executeThenClose { _, _ in }
                        }
                        defer { places.giveBack() }
                        try? await connection.executeThenClose(serve)
                    }
                }
            }
        }
    }

    private func bind(
        _ configure: @escaping @Sendable (any Channel) throws -> Void
    ) async throws -> NIOAsyncChannel<Connection, Never> {
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            // What one read brings is committed together, and a first read of the usual 2 KiB would be a small commit.
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 65_536))
        let initialize: @Sendable (any Channel) -> EventLoopFuture<Connection> = { channel in
            channel.eventLoop.makeCompletedFuture {
                try configure(channel)
                return try Connection(
                    wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
            }
        }
        switch address {
        case .unix(let path):
            return try await bootstrap.bind(
                unixDomainSocketPath: path, cleanupExistingSocketFile: true, childChannelInitializer: initialize)
        case .internet(let host, let port):
            return try await bootstrap.bind(host: host, port: port, childChannelInitializer: initialize)
        }
    }
}
