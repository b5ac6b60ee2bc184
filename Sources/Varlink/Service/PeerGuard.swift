import Glibc
internal import NIOCore

/// Disconnects a peer that is too slow or silent for too long, and counts the memory that we hold for it; see
/// ``ServiceLimits``.
///
/// Sits in front of the frame decoder, on the connection's event loop.
final class PeerGuard: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let limits: ServiceLimits
    private let unanswered: Unanswered
    /// Bytes received of an incomplete message.
    private var unfinishedBytes = 0
    private var waiting: [EventLoopPromise<Void>] = []
    private var stalled: Scheduled<Void>?
    private var unfinished: Scheduled<Void>?
    private var idle: Scheduled<Void>?
    private var lastArrival = NIODeadline.now()
    private var context: ChannelHandlerContext?

    /// The size in bytes from which a reply is counted while it is unread; the connection's own limit bounds shorter
    /// ones.
    private static let longReply = 65_536

    /// - Parameter unanswered: incremented here, as soon as calls arrive, because a busy service may begin to answer
    ///   much later.
    init(_ limits: ServiceLimits, unanswered: Unanswered) {
        self.limits = limits
        self.unanswered = unanswered
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// Starts the idle timeout: from now on the peer is read. Called on the event loop.
    func beginServing() {
        guard let context else { return }
        lastArrival = .now()
        watchIdle(context, after: limits.idle)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastArrival = .now()
        let ended = count(unwrapInboundIn(data))
        if ended > 0 {
            unfinished?.cancel()
            unfinished = nil
        }
        if unfinishedBytes > 0, unfinished == nil {
            watchUnfinished(context)
        }
        context.fireChannelRead(data)
    }

    /// - Returns: how many messages end in `buffer`.
    private func count(_ buffer: ByteBuffer) -> Int {
        let (ended, end) = buffer.withUnsafeReadableBytes(Self.ends)
        let all = unfinishedBytes + buffer.readableBytes
        let rest = ended > 0 ? buffer.readableBytes - end : all
        unanswered.arrived(ended, bytes: all - rest, rest: rest)
        unfinishedBytes = rest
        return ended
    }

    /// How many messages end in `bytes`, and the offset after the last one.
    private static func ends(_ bytes: UnsafeRawBufferPointer) -> (count: Int, end: Int) {
        guard let start = bytes.baseAddress else { return (0, 0) }
        var (count, end) = (0, 0)
        while let found = memchr(start + end, 0, bytes.count - end) {
            (count, end) = (count + 1, UnsafeRawPointer(found) - start + 1)
        }
        return (count, end)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stalled?.cancel()
        stalled = context.channel.isWritable ? nil : drop(context, after: limits.stall, "it does not read its replies")
        if context.channel.isWritable { release() }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        for timer in [stalled, unfinished, idle] { timer?.cancel() }
        release()
        context.fireChannelInactive()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let bytes = unwrapOutboundIn(data).readableBytes
        guard bytes >= Self.longReply else { return context.write(data, promise: promise) }
        let written = promise ?? context.eventLoop.makePromise(of: Void.self)
        unanswered.hold(bytes)
        written.futureResult.assumeIsolated().whenComplete { _ in self.unanswered.hold(-bytes) }
        context.write(data, promise: written)
    }

    /// A future that succeeds once the peer has read enough of its replies or is gone; nil if it has or is already.
    /// Called on the event loop.
    func whenRead() -> EventLoopFuture<Void>? {
        guard let context, context.channel.isActive, !context.channel.isWritable else { return nil }
        let promise = context.eventLoop.makePromise(of: Void.self)
        waiting.append(promise)
        return promise.futureResult
    }

    private func release() {
        for promise in waiting { promise.succeed() }
        waiting = []
    }

    /// While calls are unanswered, it may be the service that has stopped reading.
    private func watchUnfinished(_ context: ChannelHandlerContext) {
        unfinished = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(limits.message)) {
            if self.unanswered.calls > 0 { return self.watchUnfinished(context) }
            self.close(context, "it did not complete a message within \(self.limits.message)")
        }
    }

    private func drop(_ context: ChannelHandlerContext, after limit: Duration, _ reason: String) -> Scheduled<Void> {
        context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(limit)) {
            self.close(context, "\(reason) within \(limit)")
        }
    }

    private func watchIdle(_ context: ChannelHandlerContext, after limit: Duration) {
        idle = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(limit)) {
            let rest = self.lastArrival + TimeAmount(self.limits.idle) - .now()
            if self.unanswered.calls > 0 { return self.watchIdle(context, after: self.limits.idle) }
            if rest > .zero { return self.watchIdle(context, after: .nanoseconds(rest.nanoseconds)) }
            self.close(context, "it sent no call within \(self.limits.idle)")
        }
    }

    private func close(_ context: ChannelHandlerContext, _ reason: String) {
        context.fireErrorCaught(ConnectionError.timedOut(reason))
        context.close(promise: nil)
    }
}
