internal import NIOCore

/// Logs why connections cannot be accepted, once per run of failures, and pauses for a second.
///
/// NIO's own pause is not enough: if no connection could be accepted, its read stays pending, and with a full
/// descriptor table (EMFILE) the loop would spin.
final class AcceptLog: ChannelInboundHandler {
    typealias InboundIn = any Channel
    private let log: @Sendable (String) -> Void
    private var isFailing = false

    init(log: @escaping @Sendable (String) -> Void) { self.log = log }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isFailing = false
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if !isFailing { log("cannot accept connections, trying again every second: \(error)") }
        isFailing = true
        let channel = context.channel
        try? channel.syncOptions?.setOption(.autoRead, value: false)
        context.eventLoop.scheduleTask(in: .seconds(1)) { channel.setOption(.autoRead, value: true) }
        context.fireErrorCaught(error)
    }
}
