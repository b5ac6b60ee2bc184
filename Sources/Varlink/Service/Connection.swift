internal import Listening
internal import NIOCore

/// One accepted connection.
struct Connection: Sendable {
    let channel: any Channel
    let peer: Peer?
    let unanswered: Unanswered
    let warden: NIOLoopBound<PeerGuard>
    let quick: NIOLoopBound<QuickAnswers>?

    /// nil if it is refused.
    func admitted(by limiter: ConnectionLimiter) -> ConnectionLimiter.Entry? {
        limiter.admit(
            peer?.key ?? PeerKey(.unknown), isPrivileged: peer?.isPrivileged ?? false,
            isBusy: { [unanswered] in unanswered.calls > 0 },
            evict: { [channel] in
                channel.closeFor(.crowdedOut("it had no call, and another connection replaced it"))
            })
    }

    /// Returns once the peer has read enough of its replies to get more, or is gone.
    func untilRead() async throws {
        guard !channel.isWritable else { return }
        let (channel, warden) = (channel, warden)
        try await channel.eventLoop.flatSubmit {
            warden.value.whenRead() ?? channel.eventLoop.makeSucceededVoidFuture()
        }.get()
    }

    /// A call that was not answered at once has its answer.
    func answered(_ frame: [UInt8]) {
        unanswered.answered(bytes: frame.count)
        // By way of the event loop, behind the answer itself, which is on the same way: a quick one must not overtake it.
        guard let quick else { return }
        channel.eventLoop.execute { quick.value.answered() }
    }

    /// The connection as streams of frames.
    ///
    /// Made when somebody serves it and not when it is accepted: SwiftNIO traps when such streams are let go unserved, as
    /// happens to a connection that is still waiting when the service is cancelled.
    ///
    /// - Parameter noteQuickAnswer: told of each call that was answered at once; nil: none is.
    func streams(noteQuickAnswer: (@Sendable () -> Void)?) async throws -> NIOAsyncChannel<[UInt8], [UInt8]> {
        try await channel.eventLoop.submit {
            // Few frames wait, because each may be as long as a message can be.
            let streams = try NIOAsyncChannel<[UInt8], [UInt8]>(
                wrappingChannelSynchronously: channel,
                configuration: .init(backPressureStrategy: .init(lowWatermark: 1, highWatermark: 2)))
            warden.value.beginServing()
            if let noteQuickAnswer { quick?.value.beginServing(noteAnswer: noteQuickAnswer) }
            try channel.syncOptions?.setOption(.autoRead, value: true)
            return streams
        }.get()
    }
}

extension Channel {
    /// Closes the connection and has the reason logged.
    ///
    /// Later, because it may be this very channel that is being read.
    func closeFor(_ reason: ConnectionError) { eventLoop.execute { self.pipeline.fireErrorCaught(reason) } }
}
