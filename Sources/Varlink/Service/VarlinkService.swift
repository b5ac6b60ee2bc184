import Basics
internal import Listening
internal import NIOCore
internal import NIOPosix

/// A Varlink service on one listening socket.
///
/// Calls of one connection are answered strictly in order; connections do not wait for each other. A ``QuickAnswer``
/// runs on the connection's event loop, every other handler in a task of the connection.
public final class VarlinkService: Sendable {
    let router: Router
    private let limits: ServiceLimits
    private let refusal: VarlinkError
    private let log: @Sendable (String) -> Void

    /// - Parameters:
    ///   - info: what `org.varlink.service.GetInfo` answers.
    ///   - interfaces: what is served, besides `org.varlink.service`.
    ///   - limits: on connections, messages and memory.
    ///   - refusal: the reply to a connection beyond ``ServiceLimits/connections``, before it has called anything.
    ///   - log: called with a line for each connection that was refused or closed for a reason.
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
        /// A path. A socket without a listener there is replaced, and this one is removed in the end.
        case path(String)
        /// A listening socket that was opened by another process: socket activation.
        case inherited(Int32)
    }

    /// Serves until the task is cancelled.
    ///
    /// - Parameters:
    ///   - endpoint: where to listen.
    ///   - ready: called once connections are accepted.
    /// - Throws: `SocketFileError` if there can be no socket at the path.
    public func run(_ endpoint: Endpoint, ready: @Sendable () -> Void = {}) async throws {
        switch endpoint {
        case .path(let path):
            let file = try SocketFile(path: path, .stream)
            defer { file.remove() }
            try await run(listening: file.descriptor, ready: ready)
        case .inherited(let descriptor): try await run(listening: descriptor, ready: ready)
        }
    }

    private func run(listening descriptor: Int32, ready: @Sendable () -> Void) async throws {
        let server = try await listen(descriptor)
        ready()
        let limiter = ConnectionLimiter(limits.connections, reserved: limits.reserved, grace: limits.grace)
        let isFull = Locked(false)
        try await server.serveConnections { [self] connection in
            guard let entry = connection.admitted(by: limiter) else {
                let wasFull = isFull.withLock { isFull in
                    defer { isFull = true }
                    return isFull
                }
                if !wasFull { log("refusing connections: \(limits.connections) are open") }
                // Before the next one is accepted: however many connect, only this one more descriptor is in use.
                await refuse(connection)
                return nil
            }
            isFull.withLock { $0 = false }
            return {
                await self.serve(connection) { limiter.recordActivity(of: entry) }
                limiter.leave(entry)
            }
        }
    }

    private func listen(_ descriptor: Int32) async throws -> NIOAsyncChannel<Connection, Never> {
        let (log, limits, router) = (log, limits, router)
        // One connection per read: NIO would accept up to 16 at once, for which there may not be enough descriptors.
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.maxMessagesPerRead, value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptLog(log: log))
                }
            }
        let oneByOne = NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark(
            lowWatermark: 1, highWatermark: 1)
        return try await bootstrap.bind(
            descriptor, serverBackPressureStrategy: oneByOne,
            childChannelInitializer: { Self.setUp($0, router, limits, log) })
    }

    private func refuse(_ connection: Connection) async {
        try? await connection.streams(noteQuickAnswer: nil).executeThenClose { _, outbound in
            try await outbound.write(ReplyEnvelope.encode(refusal))
        }
    }

    /// - Parameter noteAnswer: called for each call that was answered.
    private func serve(_ connection: Connection, noteAnswer: @escaping @Sendable () -> Void) async {
        try? await connection.streams(noteQuickAnswer: noteAnswer).executeThenClose { inbound, outbound in
            // A peer that hangs up cancels the answer in progress: a stream of replies may never end by itself.
            await withTaskGroup(of: Void.self) { group in
                group.addTask { try? await connection.channel.closeFuture.get() }
                group.addTask { await self.answer(connection, inbound, outbound, noteAnswer) }
                await group.next()
                group.cancelAll()
                try? await connection.channel.close()
            }
        }
    }

    private func answer(
        _ connection: Connection, _ inbound: NIOAsyncChannelInboundStream<[UInt8]>,
        _ outbound: NIOAsyncChannelOutboundWriter<[UInt8]>, _ noteAnswer: @Sendable () -> Void
    ) async {
        do {
            for try await frame in inbound {
                // For a peer that does not read, at most one long reply is made.
                try await connection.waitUntilRead()
                defer {
                    connection.answered(frame)
                    noteAnswer()
                }
                try await router.answer(frame, connection.peer) { try await outbound.write($0) }
            }
        } catch {
            // If the connection is already closed, its reason has been logged or the peer went away.
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
            let pipeline = channel.pipeline.syncOperations
            let peer =
                try pipeline.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { Peer(descriptor: $0) }
                ?? nil
            try channel.syncOptions?.setOption(
                .writeBufferWaterMark, value: .init(low: limits.outboundBytes / 2, high: limits.outboundBytes))
            let share = { (budget: MemoryBudget) in
                budget.share(of: peer?.key ?? PeerKey(.unknown)) { channel.closeFor(.crowdedOut($0)) }
            }
            let unanswered = Unanswered(unfinished: share(limits.unfinished), held: share(limits.held))
            let peerGuard = PeerGuard(limits, unanswered: unanswered)
            try pipeline.addHandler(peerGuard)
            try pipeline.addHandlers([ByteToMessageHandler(FrameDecoder()), MessageToByteHandler(FrameEncoder())])
            let quick = router.hasQuickAnswers ? QuickAnswers(router, peer: peer, unanswered) : nil
            if let quick { try pipeline.addHandler(quick) }
            try pipeline.addHandler(ReasonLog { log(closing(peer, $0)) })
            // Nothing is read before the connection is served.
            try channel.syncOptions?.setOption(.autoRead, value: false)
            return Connection(
                channel: channel, peer: peer, unanswered: unanswered,
                peerGuard: NIOLoopBound(peerGuard, eventLoop: channel.eventLoop),
                quick: quick.map { NIOLoopBound($0, eventLoop: channel.eventLoop) })
        }
    }
}
