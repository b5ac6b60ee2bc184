internal import NIOCore

/// Closes a connection whose peer broke a rule, and says which.
final class ReasonLog: ChannelInboundHandler {
    typealias InboundIn = [UInt8]
    private let log: @Sendable (any Error) -> Void

    init(log: @escaping @Sendable (any Error) -> Void) { self.log = log }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Everything else is a peer that went away.
        if error is ConnectionError { log(error) }
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }
}
