extension VarlinkService {
    /// Serves one connection that somebody else has made, until the peer hangs up: a child whose parent is its client.
    ///
    /// Takes the descriptor over. Blocks its thread between calls, because a child has nothing else to do, and an answer
    /// is on its way a thread change earlier.
    ///
    /// - Throws: ``ConnectionError`` if the peer does not speak Varlink.
    public func serve(connected descriptor: Int32) async throws {
        let socket = FrameSocket(connected: descriptor)
        let writer = FrameWriter(descriptor: descriptor)
        let peer = Peer(descriptor: descriptor)
        while true {
            let frame: [UInt8]
            do {
                frame = try socket.receive()
            } catch ConnectionError.closed {
                return
            }
            try await router.answer(frame, peer) { message in
                guard try writer.write(message) else { throw ConnectionError.closed }
            }
        }
    }
}
