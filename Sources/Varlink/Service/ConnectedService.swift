extension VarlinkService {
    /// Serves one existing connection until the peer hangs up, as in a child process whose parent is its client.
    ///
    /// Takes ownership of the descriptor. Blocks its thread between calls, because a child has nothing else to do, and
    /// a reply is sent without a change of threads.
    ///
    /// - Throws: ``ConnectionError`` if the peer does not speak Varlink.
    public func serve(connected descriptor: Int32) async throws {
        let socket = FrameSocket(connected: descriptor)
        let writer = FrameWriter(descriptor: descriptor)
        let peer = Peer(descriptor: descriptor)
        do {
            while true {
                let frame = try socket.receive()
                try await router.answer(frame, peer) { message in
                    guard try writer.write(message) else { throw ConnectionError.closed }
                }
            }
        } catch ConnectionError.closed {
            return
        }
    }
}
