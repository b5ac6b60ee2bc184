internal import NIOCore
internal import NIOPosix

/// What answers the calls of one interface.
public struct VarlinkInterface: Sendable {
    public let name: String
    /// The interface file's text.
    public let description: String
    /// By the method's bare name.
    let methods: [String: @Sendable (VarlinkCall) async throws -> Void]

    /// - Parameter methods: by bare name; each answers its call or throws ``VarlinkError``.
    public init(
        name: String, description: String, methods: [String: @Sendable (VarlinkCall) async throws -> Void]
    ) {
        self.name = name
        self.description = description
        self.methods = methods
    }
}

/// Who serves, for `org.varlink.service.GetInfo`.
public struct ServiceInfo: Sendable, Codable {
    public var vendor: String
    public var product: String
    public var version: String
    public var url: String

    public init(vendor: String, product: String, version: String, url: String) {
        (self.vendor, self.product, self.version, self.url) = (vendor, product, version, url)
    }
}

/// A Varlink service on one listening socket.
///
/// Calls of one connection are answered strictly in order; connections do not wait for each other.
public final class VarlinkService: Sendable {
    private let router: Router
    private let log: @Sendable (String) -> Void
    private let connectionLimit: Int

    public init(
        info: ServiceInfo, interfaces: [VarlinkInterface], connectionLimit: Int = 512,
        log: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        router = Router(info: info, interfaces: interfaces)
        self.connectionLimit = connectionLimit
        self.log = log
    }

    /// Where to listen.
    public enum Endpoint: Sendable {
        /// A path; a socket left there by somebody who is gone is replaced.
        case path(String)
        /// A listening socket that somebody else has opened: socket activation.
        case inherited(Int32)
    }

    private typealias Connection = (channel: NIOAsyncChannel<[UInt8], [UInt8]>, peer: Peer?)

    /// Serves until the task is cancelled.
    ///
    /// - Parameter ready: called once connections are taken.
    public func run(_ endpoint: Endpoint, ready: @Sendable () -> Void = {}) async throws {
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        let server: NIOAsyncChannel<Connection, Never> =
            switch endpoint {
            case .path(let path):
                try await bootstrap.bind(
                    unixDomainSocketPath: path, cleanupExistingSocketFile: true,
                    childChannelInitializer: { Self.setUp($0) })
            case .inherited(let descriptor):
                try await bootstrap.bind(descriptor, childChannelInitializer: { Self.setUp($0) })
            }
        ready()
        try await server.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                let open = Counter()
                for try await connection in connections {
                    guard open.increment() <= connectionLimit else {
                        open.decrement()
                        log("refused a connection: \(connectionLimit) are open")
                        try? await connection.channel.channel.close()
                        continue
                    }
                    group.addTask {
                        await self.serve(connection)
                        open.decrement()
                    }
                }
            }
        }
    }

    private static func setUp(_ channel: any Channel) -> EventLoopFuture<Connection> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandlers([
                ByteToMessageHandler(FrameDecoder()), MessageToByteHandler(FrameEncoder()),
            ])
            let peer = try pipeline.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
                Peer(descriptor: $0)
            }
            return (try NIOAsyncChannel(wrappingChannelSynchronously: channel), peer ?? nil)
        }
    }

    /// Waits until the peer hangs up; hangs up itself when the service stops.
    private static func closing(_ channel: any Channel) async {
        await withTaskCancellationHandler {
            try? await channel.closeFuture.get()
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    private func serve(_ connection: Connection) async {
        do {
            try await connection.channel.executeThenClose { inbound, outbound in
                // A peer that hangs up cancels what is still being answered: a stream has no end of its own.
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await Self.closing(connection.channel.channel) }
                    group.addTask {
                        for try await frame in inbound {
                            try await self.router.answer(frame, outbound, connection.peer)
                        }
                        try? await connection.channel.channel.close()
                    }
                    _ = try await group.next()
                    group.cancelAll()
                    try? await connection.channel.channel.close()
                }
            }
        } catch is CancellationError {
        } catch {
            log("closed a connection: \(error)")
        }
    }
}
