public import LineProtocol
import NIOCore
import NIOPosix

/// Receives line protocol in datagrams of complete lines, over UDP or a Unix datagram socket.
///
/// There are no replies: problems are counted, and datagrams that arrive while the queue is full are dropped and
/// counted.
public struct DatagramListener: Sendable {
    private let address: ListenAddress
    private let precision: Precision
    private let counters: FeedCounters
    private let commit: LineIntake.Commit
    private let queueLimit: Int

    /// - Parameter queueLimit: how many readings may wait while a commit is in progress.
    public init(
        address: ListenAddress, precision: Precision, counters: FeedCounters, queueLimit: Int = 262_144,
        commit: @escaping LineIntake.Commit
    ) {
        (self.address, self.precision, self.counters, self.commit) = (address, precision, counters, commit)
        self.queueLimit = queueLimit
    }

    /// Serves until the task is cancelled.
    ///
    /// - Parameter onListening: called once, with the address that the system assigned.
    /// - Throws: ``SocketFileError``, ``FeedingError`` or NIO's errors if it cannot listen.
    public func run(onListening: @Sendable (ListenAddress) -> Void) async throws {
        let queue = DatagramQueue(limit: queueLimit)
        let intake = LineIntake(precision: precision, counters: counters, commit: commit)
        let receiver = DatagramReceiver(intake) { [counters] in if !queue.add($0) { counters.datagramDropped() } }
        let close: @Sendable () -> Void
        switch address {
        case .unix(let path):
            let socket = try UnixDatagramSocket(path: path) { receiver.receive($0) }
            close = { socket.cancel() }
            onListening(address)
        case .internet(let host, let port):
            let channel: any Channel
            do {
                channel = try await Self.bind(host, port, receiver)
            } catch let error as IOError {
                throw FeedingError(error, binding: address, "udp")
            }
            channel.closeFuture.whenComplete { _ in queue.finish() }
            close = { channel.close(promise: nil) }
            onListening(address.bound(to: channel.localAddress))
        }
        await withTaskCancellationHandler {
            await drain(queue, intake)
        } onCancel: {
            close()
            queue.finish()
        }
        if !Task.isCancelled { throw FeedingError.closed(address) }
    }

    private static func bind(_ host: String, _ port: Int, _ receiver: DatagramReceiver) async throws -> any Channel {
        try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.socketOption(.so_rcvbuf), value: 4_194_304)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 65_536))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DatagramHandler(receiver))
                }
            }
            .bind(host: host, port: port).get()
    }

    private func drain(_ queue: DatagramQueue, _ intake: LineIntake) async {
        for await _ in queue.arrivals {
            let batch = queue.takeAll()
            do {
                _ = try await intake.commit(batch)
            } catch {
                // A full disk must not end the source: the next datagrams try again.
                counters.readingsLost(batch.readings.count)
            }
        }
    }
}

private final class DatagramHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    private let receiver: DatagramReceiver

    init(_ receiver: DatagramReceiver) { self.receiver = receiver }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        unwrapInboundIn(data).data.withUnsafeReadableBytes { bytes in
            bytes.withMemoryRebound(to: UInt8.self) { receiver.receive($0) }
        }
    }
}
