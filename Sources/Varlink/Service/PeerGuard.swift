internal import NIOCore

/// Disconnects a peer that is too slow or too quiet; see ``ServiceLimits``.
///
/// Lives in front of the frame decoder, on the connection's event loop.
final class PeerGuard: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let limits: ServiceLimits
    private let calls: Counter
    private var stalled: Scheduled<Void>?
    private var unfinished: Scheduled<Void>?
    private var quiet: Scheduled<Void>?
    private var newest = NIODeadline.now()
    private var context: ChannelHandlerContext?

    /// - Parameter calls: how many calls of this connection are not answered yet; counted up here, as soon as they are in,
    ///   because a busy service may begin to answer long after that.
    init(_ limits: ServiceLimits, calls: Counter) {
        self.limits = limits
        self.calls = calls
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// From now on the peer is read, so from now on it can be too quiet. On the event loop.
    func beginServing() {
        guard let context else { return }
        newest = .now()
        watchQuiet(context, after: limits.idle)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        newest = .now()
        let buffer = unwrapInboundIn(data)
        let endsMessage = buffer.readableBytesView.last == 0
        let ended = buffer.readableBytesView.count { $0 == 0 }
        if ended > 0 {
            calls.increment(by: ended)
            unfinished?.cancel()
            unfinished = nil
        }
        if !endsMessage, unfinished == nil {
            watchMessage(context)
        }
        context.fireChannelRead(data)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stalled?.cancel()
        stalled = context.channel.isWritable ? nil : drop(context, after: limits.stall, "it does not read its replies")
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        for timer in [stalled, unfinished, quiet] { timer?.cancel() }
        context.fireChannelInactive()
    }

    /// While calls wait for their answers, it may be the service that does not read on.
    private func watchMessage(_ context: ChannelHandlerContext) {
        unfinished = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(limits.message)) {
            if self.calls.value > 0 { return self.watchMessage(context) }
            self.close(context, "it did not end a message it began within \(self.limits.message)")
        }
    }

    private func drop(_ context: ChannelHandlerContext, after limit: Duration, _ reason: String) -> Scheduled<Void> {
        context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(limit)) {
            self.close(context, "\(reason) within \(limit)")
        }
    }

    private func watchQuiet(_ context: ChannelHandlerContext, after limit: Duration) {
        quiet = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(limit)) {
            let rest = self.newest + TimeAmount(self.limits.idle) - .now()
            if self.calls.value > 0 { return self.watchQuiet(context, after: self.limits.idle) }
            if rest > .zero { return self.watchQuiet(context, after: .nanoseconds(rest.nanoseconds)) }
            self.close(context, "it sent no call within \(self.limits.idle)")
        }
    }

    private func close(_ context: ChannelHandlerContext, _ reason: String) {
        context.fireErrorCaught(ConnectionError.timedOut(reason))
        context.close(promise: nil)
    }
}
