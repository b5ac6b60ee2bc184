internal import NIOCore

/// Says why connections cannot be accepted, once for each row of failures.
///
/// NIO itself pauses for a second after such an error, so that a full descriptor table (EMFILE) does not spin.
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
        context.fireErrorCaught(error)
    }
}
