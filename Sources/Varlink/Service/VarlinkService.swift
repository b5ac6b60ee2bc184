internal import NIOCore
internal import NIOPosix

/// A Varlink service on one listening socket.
///
/// Calls of one connection are answered strictly in order; connections do not wait for each other. A ``QuickAnswer`` is
/// given on the connection's event loop; every other runs in a task of the connection.
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
        let (log, limits, router) = (log, limits, router)
        // One connection a read: NIO would accept up to 16 at once, more than the descriptors that are left may allow.
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.maxMessagesPerRead, value: 1)
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
                childChannelInitializer: { Self.setUp($0, router, limits, log) })
        case .inherited(let descriptor):
            try await bootstrap.bind(
                descriptor, serverBackPressureStrategy: oneByOne,
                childChannelInitializer: { Self.setUp($0, router, limits, log) })
        }
    }

    private func refuse(_ connection: Connection) async {
        try? await connection.streams(answersQuickly: false).executeThenClose { _, outbound in
            try await outbound.write(ReplyEnvelope.encode(refusal))
        }
    }

    private func serve(_ connection: Connection) async {
        try? await connection.streams(answersQuickly: true).executeThenClose { inbound, outbound in
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
                defer { connection.noteAnswer() }
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
        _ channel: any Channel, _ router: Router, _ limits: ServiceLimits, _ log: @escaping @Sendable (String) -> Void
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
                MessageToByteHandler(FrameEncoder()),
            ])
            let quick = router.hasQuickAnswers ? QuickAnswers(router, peer: peer, calls: calls) : nil
            if let quick { try pipeline.addHandler(quick) }
            try pipeline.addHandler(ReasonLog { log(closing(peer, $0)) })
            // Nothing is read before somebody serves it.
            try channel.syncOptions?.setOption(.autoRead, value: false)
            return Connection(
                channel: channel, peer: peer, calls: calls,
                quick: quick.map { NIOLoopBound($0, eventLoop: channel.eventLoop) })
        }
    }
}

/// One accepted connection.
private struct Connection: Sendable {
    let channel: any Channel
    let peer: Peer?
    /// How many calls are not answered yet.
    let calls: Counter
    let quick: NIOLoopBound<QuickAnswers>?

    /// A call that was not answered at once has its answer.
    func noteAnswer() {
        calls.decrement()
        // By way of the event loop, behind the answer itself, which is on the same way: a quick one must not overtake it.
        guard let quick else { return }
        channel.eventLoop.execute { quick.value.answered() }
    }

    /// The connection as streams of frames.
    ///
    /// Made when somebody serves it and not when it is accepted: SwiftNIO traps when such streams are let go unserved, as
    /// happens to a connection that is still waiting when the service is cancelled.
    func streams(answersQuickly: Bool) async throws -> NIOAsyncChannel<[UInt8], [UInt8]> {
        try await channel.eventLoop.submit {
            // Few frames wait, because each may be as long as a message can be.
            let streams = try NIOAsyncChannel<[UInt8], [UInt8]>(
                wrappingChannelSynchronously: channel,
                configuration: .init(backPressureStrategy: .init(lowWatermark: 1, highWatermark: 2)))
            try channel.pipeline.syncOperations.handler(type: PeerGuard.self).beginServing()
            if answersQuickly { quick?.value.beginServing() }
            try channel.syncOptions?.setOption(.autoRead, value: true)
            return streams
        }.get()
    }
}
