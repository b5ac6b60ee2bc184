import NIOCore

/// Counts the bytes of a sender, and closes its connection if it is too slow. Sits in front of all other handlers, on
/// the connection's event loop.
final class SenderGuard: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let sender: Sender
    private let limits: SenderLimits
    private let close: @Sendable (_ reason: String) -> Void
    private var timer: RepeatedTask?

    /// - Parameter close: closes the connection.
    init(_ sender: Sender, _ limits: SenderLimits, close: @escaping @Sendable (_ reason: String) -> Void) {
        (self.sender, self.limits, self.close) = (sender, limits, close)
    }

    func channelActive(context: ChannelHandlerContext) {
        watch(context)
        context.fireChannelActive()
    }

    func handlerAdded(context: ChannelHandlerContext) { if context.channel.isActive { watch(context) } }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        sender.arrived(unwrapInboundIn(data).readableBytes)
        context.fireChannelRead(data)
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    private func watch(_ context: ChannelHandlerContext) {
        guard timer == nil else { return }
        let interval = TimeAmount(min(.seconds(1), limits.idle, limits.unit))
        let (sender, limits, close) = (sender, limits, close)
        timer = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { task in
            guard let reason = sender.timeoutReason(limits) else { return }
            task.cancel()
            close(reason)
        }
    }
}
