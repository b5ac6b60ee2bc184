internal import NIOCore
internal import NIOPosix

/// A Varlink service on one listening socket.
///
/// Calls of one connection are answered strictly in order; connections do not wait for each other.
public final class VarlinkService: Sendable {
    let router: Router
    private let limits: ServiceLimits
    private let refusal: VarlinkError
    private let log: @Sendable (String) -> Void

    /// - Parameters:
    ///   - refusal: the reply to a connection beyond ``ServiceLimits/connections``, before it has called anything.
    ///   - log: takes a line for each connection that was refused or closed for a reason.
    /// - Throws: ``InterfaceError``.
    public init(
        info: ServiceInfo, interfaces: [VarlinkInterface], limits: ServiceLimits = ServiceLimits(),
        refusal: VarlinkError = .permissionDenied, log: @escaping @Sendable (String) -> Void = { _ in }
    ) throws {
        router = try Router(info: info, interfaces: interfaces)
        self.limits = limits
        self.refusal = refusal
        self.log = log
    }

    /// Where to listen.
    public enum Endpoint: Sendable {
        /// A path; a socket left there by somebody who is gone is replaced.
        case path(String)
        /// A listening socket that somebody else has opened: socket activation.
        case inherited(Int32)
    }

    /// Serves until the task is cancelled.
    ///
    /// - Parameter ready: called once connections are taken.
    public func run(_ endpoint: Endpoint, ready: @Sendable () -> Void = {}) async throws {
        let server = try await listen(endpoint)
        ready()
        try await server.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                let open = Counter()
                var isFull = false
                for try await connection in connections {
                    guard open.value < limits.connections else {
                        if !isFull { log("refusing connections: \(limits.connections) are open") }
                        isFull = true
                        // Before the next one is taken: a crowd holds no more descriptors than this one.
                        await refuse(connection)
                        continue
                    }
                    isFull = false
                    open.increment()
                    group.addTask {
                        await self.serve(connection)
                        open.decrement()
                    }
                }
            }
        }
    }

    private func listen(_ endpoint: Endpoint) async throws -> NIOAsyncChannel<Connection, Never> {
        let (log, limits) = (log, limits)
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptLog(log: log))
                }
            }
        let oneByOne = NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark(
            lowWatermark: 1, highWatermark: 1)
        return switch endpoint {
        case .path(let path):
            try await bootstrap.bind(
                unixDomainSocketPath: path, cleanupExistingSocketFile: true, serverBackPressureStrategy: oneByOne,
                childChannelInitializer: { Self.setUp($0, limits, log) })
        case .inherited(let descriptor):
            try await bootstrap.bind(
                descriptor, serverBackPressureStrategy: oneByOne,
                childChannelInitializer: { Self.setUp($0, limits, log) })
        }
    }

    private func refuse(_ connection: Connection) async {
        try? await connection.streams().executeThenClose { _, outbound in
            try await outbound.write(ReplyEnvelope.encode(refusal))
        }
    }

    private func serve(_ connection: Connection) async {
        try? await connection.streams().executeThenClose { inbound, outbound in
            // A peer that hangs up cancels what is still being answered: a stream has no end of its own.
            await withTaskGroup(of: Void.self) { group in
                group.addTask { try? await connection.channel.closeFuture.get() }
                group.addTask { await self.answer(connection, inbound, outbound) }
                await group.next()
                group.cancelAll()
                try? await connection.channel.close()
            }
        }
    }

    private func answer(
        _ connection: Connection, _ inbound: NIOAsyncChannelInboundStream<[UInt8]>,
        _ outbound: NIOAsyncChannelOutboundWriter<[UInt8]>
    ) async {
        do {
            for try await frame in inbound {
                defer { connection.calls.decrement() }
                try await router.answer(frame, connection.peer) { try await outbound.write($0) }
            }
        } catch {
            // A connection that is closed already has had its line in the log, or the peer went away.
            guard connection.channel.isActive, !Task.isCancelled else { return }
            log(Self.closing(connection.peer, error))
        }
    }

    private static func closing(_ peer: Peer?, _ error: any Error) -> String {
        "closed a connection\(peer.map { " of uid \($0.uid), pid \($0.pid)" } ?? ""): \(error)"
    }

    private static func setUp(
        _ channel: any Channel, _ limits: ServiceLimits, _ log: @escaping @Sendable (String) -> Void
    ) -> EventLoopFuture<Connection> {
        channel.eventLoop.makeCompletedFuture {
            let (pipeline, calls) = (channel.pipeline.syncOperations, Counter())
            let peer =
                try pipeline.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { Peer(descriptor: $0) }
                ?? nil
            try channel.syncOptions?.setOption(
                .writeBufferWaterMark, value: .init(low: limits.outboundBytes / 2, high: limits.outboundBytes))
            try pipeline.addHandlers([
                PeerGuard(limits, calls: calls), ByteToMessageHandler(FrameDecoder()),
                MessageToByteHandler(FrameEncoder()), ReasonLog { log(closing(peer, $0)) },
            ])
            // Nothing is read before somebody serves it.
            try channel.syncOptions?.setOption(.autoRead, value: false)
            return Connection(channel: channel, peer: peer, calls: calls)
        }
    }
}

/// One accepted connection.
private struct Connection: Sendable {
    let channel: any Channel
    let peer: Peer?
    /// How many calls are not answered yet.
    let calls: Counter

    /// The connection as streams of frames.
    ///
    /// Made when somebody serves it and not when it is accepted: SwiftNIO traps when such streams are let go unserved, as
    /// happens to a connection that is still waiting when the service is cancelled.
    func streams() async throws -> NIOAsyncChannel<[UInt8], [UInt8]> {
        try await channel.eventLoop.submit {
            // Few frames wait, because each may be as long as a message can be.
            let streams = try NIOAsyncChannel<[UInt8], [UInt8]>(
                wrappingChannelSynchronously: channel,
                configuration: .init(backPressureStrategy: .init(lowWatermark: 1, highWatermark: 2)))
            try channel.pipeline.syncOperations.handler(type: PeerGuard.self).beginServing()
            try channel.syncOptions?.setOption(.autoRead, value: true)
            return streams
        }.get()
    }
}
