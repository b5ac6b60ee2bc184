internal import NIOCore

/// Answers calls that need no waiting on the event loop, and passes on all others.
///
/// Sits behind the frame decoder, on the connection's event loop. Replies keep the order of the calls: while one that
/// was passed on is unanswered, later ones are passed on too. So are those of a peer that does not read, because the
/// ordinary handler waits for it.
final class QuickAnswers: ChannelInboundHandler {
    typealias InboundIn = [UInt8]
    typealias InboundOut = [UInt8]
    typealias OutboundOut = [UInt8]

    private let router: Router
    private let peer: Peer?
    private let unanswered: Unanswered
    /// Called for each call that was answered here.
    private var noteAnswer: () -> Void = {}
    /// False for a connection that is only to be refused.
    private var isServing = false
    /// Calls that were passed on and are not answered yet.
    private var passedOn = 0
    private var hasWritten = false

    init(_ router: Router, peer: Peer?, _ unanswered: Unanswered) {
        self.router = router
        self.peer = peer
        self.unanswered = unanswered
    }

    /// Starts answering calls here. Called on the event loop.
    ///
    /// - Parameter noteAnswer: called for each call that is answered here.
    func beginServing(noteAnswer: @escaping () -> Void) {
        self.noteAnswer = noteAnswer
        isServing = true
    }

    /// Notes that the answer of a call that was passed on has been written. Called on the event loop.
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
