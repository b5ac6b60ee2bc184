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
    private let unanswered: Unanswered
    /// Told of each call that was answered here.
    private var noteAnswer: () -> Void = {}
    /// False for a connection that is only there to be refused.
    private var isServing = false
    /// Calls that were passed on and are not answered yet.
    private var passedOn = 0
    private var hasWritten = false

    init(_ router: Router, peer: Peer?, _ unanswered: Unanswered) {
        self.router = router
        self.peer = peer
        self.unanswered = unanswered
    }

    /// On the event loop.
    ///
    /// - Parameter noteAnswer: told of each call that is answered here.
    func beginServing(noteAnswer: @escaping () -> Void) {
        self.noteAnswer = noteAnswer
        isServing = true
    }

    /// A call that was passed on has its answer, which is written already. On the event loop.
    func answered() { passedOn -= 1 }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        guard isServing, passedOn == 0, context.channel.isWritable, let reply = router.quickAnswer(frame, peer) else {
            passedOn += 1
            return context.fireChannelRead(data)
        }
        unanswered.answered(bytes: frame.count)
        noteAnswer()
        context.write(wrapOutboundOut(reply), promise: nil)
        hasWritten = true
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if hasWritten { context.flush() }
        hasWritten = false
        context.fireChannelReadComplete()
    }
}
