internal import NIOCore

/// Answers what needs no waiting where it arrives, and passes on everything else.
///
/// Behind the frame decoder, on the connection's event loop. Replies stay in the order of the calls: while one that was
/// passed on is not answered, those behind it are passed on too. So are those of a peer that does not read, because the
/// ordinary answer waits for it.
final class QuickAnswers: ChannelInboundHandler {
    typealias InboundIn = [UInt8]
    typealias InboundOut = [UInt8]
    typealias OutboundOut = [UInt8]

    private let router: Router
    private let peer: Peer?
    private let calls: Counter
    /// False for a connection that is only there to be refused.
    private var isServing = false
    /// Calls that were passed on and are not answered yet.
    private var passedOn = 0
    private var hasWritten = false

    /// - Parameter calls: how many calls of this connection are not answered yet.
    init(_ router: Router, peer: Peer?, calls: Counter) {
        self.router = router
        self.peer = peer
        self.calls = calls
    }

    /// On the event loop.
    func beginServing() { isServing = true }

    /// A call that was passed on has its answer, which is written already. On the event loop.
    func answered() { passedOn -= 1 }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard isServing, passedOn == 0, context.channel.isWritable,
            let reply = router.quickAnswer(unwrapInboundIn(data), peer)
        else {
            passedOn += 1
            return context.fireChannelRead(data)
        }
        calls.decrement()
        context.write(wrapOutboundOut(reply), promise: nil)
        hasWritten = true
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if hasWritten { context.flush() }
        hasWritten = false
        context.fireChannelReadComplete()
    }
}
