internal import Listening
internal import NIOCore

/// One accepted connection.
struct Connection: Sendable {
    let channel: any Channel
    let peer: Peer?
    let unanswered: Unanswered
    let peerGuard: NIOLoopBound<PeerGuard>
    let quick: NIOLoopBound<QuickAnswers>?

    /// Admits the connection; nil if it is refused.
    func admitted(by limiter: ConnectionLimiter) -> ConnectionLimiter.Entry? {
        limiter.admit(
            peer?.key ?? PeerKey(.unknown), isPrivileged: peer?.isPrivileged ?? false,
            isBusy: { [unanswered] in unanswered.calls > 0 },
            evict: { [channel] in
                channel.closeFor(.crowdedOut("it had no call, and another connection replaced it"))
            })
    }

    /// Returns once the peer has read enough of its replies to get more, or is gone.
    func waitUntilRead() async throws {
        guard !channel.isWritable else { return }
        let (channel, peerGuard) = (channel, peerGuard)
        try await channel.eventLoop.flatSubmit {
            peerGuard.value.whenRead() ?? channel.eventLoop.makeSucceededVoidFuture()
        }.get()
    }

    /// Notes that a call that was not answered on the event loop has been answered.
    func answered(_ frame: [UInt8]) {
        unanswered.answered(bytes: frame.count)
        // Through the event loop, after the reply, which goes the same way: a quick answer must not overtake it.
        guard let quick else { return }
        channel.eventLoop.execute { quick.value.answered() }
    }

    /// The connection as streams of frames.
    ///
    /// Created when the connection is served, not when it is accepted: SwiftNIO traps if such streams are released
    /// unserved, as happens to a connection that is still waiting when the service is cancelled.
    ///
    /// - Parameter noteQuickAnswer: called for each call that was answered on the event loop; nil: none is.
    func streams(noteQuickAnswer: (@Sendable () -> Void)?) async throws -> NIOAsyncChannel<[UInt8], [UInt8]> {
        try await channel.eventLoop.submit {
            // Few frames are buffered, because each may have the maximum length of a message.
            let streams = try NIOAsyncChannel<[UInt8], [UInt8]>(
                wrappingChannelSynchronously: channel,
                configuration: .init(backPressureStrategy: .init(lowWatermark: 1, highWatermark: 2)))
            peerGuard.value.beginServing()
            if let noteQuickAnswer { quick?.value.beginServing(noteAnswer: noteQuickAnswer) }
            try channel.syncOptions?.setOption(.autoRead, value: true)
            return streams
        }.get()
    }
}

extension Channel {
    /// Closes the connection and logs the reason.
    ///
    /// Deferred, because this channel may be the one that is being read.
    func closeFor(_ reason: ConnectionError) { eventLoop.execute { self.pipeline.fireErrorCaught(reason) } }
}
