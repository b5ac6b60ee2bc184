import Glibc

/// The sending side of a connected Unix socket. Does not own the descriptor.
struct FrameWriter: Sendable {
    let descriptor: Int32

    /// Sends a message and its NUL byte; returns whether all of it was sent.
    ///
    /// - Throws: ``ConnectionError/timedOut(_:)`` if the peer has not accepted it before `deadline`.
    func write(_ message: [UInt8], deadline: ContinuousClock.Instant? = nil) throws -> Bool {
        let frame = message + [0]
        let flags = Int32(MSG_NOSIGNAL) | (deadline == nil ? 0 : Int32(MSG_DONTWAIT))
        var sent = 0
        while sent < frame.count {
            let count = frame[sent...].withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, flags) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN {
                try descriptor.wait(for: POLLOUT, until: deadline)
                continue
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }
}

extension Int32 {
    /// Waits until this descriptor is ready; returns at once without a deadline, because then the call itself may
    /// block.
    func wait(for events: Int32, until deadline: ContinuousClock.Instant?) throws {
        guard let deadline else { return }
        while true {
            let remaining = deadline - .now
            guard remaining > .zero else { throw ConnectionError.timedOut("there was no answer in time") }
            let milliseconds = (remaining / .milliseconds(1)).rounded(.up)
            var ready = pollfd(fd: self, events: Int16(events), revents: 0)
            if poll(&ready, 1, Int32(Swift.min(milliseconds, 86_400_000))) > 0 { return }
        }
    }
}
