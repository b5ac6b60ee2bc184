import Feeding
import Foundation
import NIOCore
import NIOPosix
import Synchronization
import TimeSeries

/// Runs a listener on an address of the system's choice while `body` runs.
func withListener<Result: Sendable>(
    _ run: @escaping @Sendable (@Sendable (ListenAddress) -> Void) async throws -> Void,
    _ body: @Sendable (ListenAddress) async throws -> Result
) async throws -> Result {
    let (addresses, announce) = AsyncStream.makeStream(of: ListenAddress.self)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            defer { announce.finish() }
            try await run { announce.yield($0) }
        }
        guard let address = await addresses.first(where: { _ in true }) else {
            try await group.next()
            throw CancellationError()
        }
        let result = try await body(address)
        group.cancelAll()
        return result
    }
}

/// Stands where the journal is: remembers what was committed.
final class Commits: Sendable {
    private let readings = Mutex<[IncomingReading]>([])
    let arrivals: AsyncStream<[IncomingReading]>
    private let announce: AsyncStream<[IncomingReading]>.Continuation

    init() { (arrivals, announce) = AsyncStream.makeStream() }

    var all: [IncomingReading] { readings.withLock { $0 } }

    /// Takes all but values below zero.
    @Sendable
    func commit(_ incoming: [IncomingReading]) async throws -> IngestOutcome {
        let good = incoming.filter { $0.value >= 0 }
        readings.withLock { $0 += good }
        announce.yield(good)
        let refusals = incoming.indices.filter { incoming[$0].value < 0 }.map { (index: $0, reason: "below zero") }
        return IngestOutcome(accepted: good.count, refusals: refusals)
    }

    /// Returns when so many readings have been committed.
    func wait(for count: Int) async -> [IncomingReading] {
        var iterator = arrivals.makeAsyncIterator()
        while all.count < count, await iterator.next() != nil {}
        return all
    }
}

/// Sends pieces one after the other, ends the sending side, and returns all that comes back.
func exchange(_ address: ListenAddress, _ pieces: [[UInt8]]) async throws -> String {
    let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .channelOption(.allowRemoteHalfClosure, value: true)
    let wrap: @Sendable (any Channel) -> EventLoopFuture<NIOAsyncChannel<ByteBuffer, ByteBuffer>> = { channel in
        channel.eventLoop.makeCompletedFuture {
            try NIOAsyncChannel(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }
    let channel =
        switch address {
        case .unix(let path): try await bootstrap.connect(unixDomainSocketPath: path, channelInitializer: wrap)
        case .internet(let host, let port):
            try await bootstrap.connect(host: host, port: port, channelInitializer: wrap)
        }
    return try await channel.executeThenClose { inbound, outbound in
        for piece in pieces { try await outbound.write(ByteBuffer(bytes: piece)) }
        outbound.finish()
        var answer = ""
        for try await buffer in inbound { answer += String(buffer: buffer) }
        return answer
    }
}

func exchange(_ address: ListenAddress, _ text: String) async throws -> String {
    try await exchange(address, [Array(text.utf8)])
}
