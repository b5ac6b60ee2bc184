internal import NIOCore

/// Closes a connection after an error, and logs the rule that its peer broke.
final class ReasonLog: ChannelInboundHandler {
    typealias InboundIn = [UInt8]
    private let log: @Sendable (any Error) -> Void

    init(log: @escaping @Sendable (any Error) -> Void) { self.log = log }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Any other error means that the peer went away.
        if error is ConnectionError { log(error) }
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }
}
