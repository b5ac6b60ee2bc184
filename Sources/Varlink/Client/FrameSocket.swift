import Glibc

/// A connected Unix socket that carries messages, each ended by a NUL byte. Blocks, at most until the deadline if there
/// is one.
final class FrameSocket {
    private let descriptor: Int32
    /// When sending and receiving give up; nil: never.
    var deadline: ContinuousClock.Instant?
    /// Bytes that were read, and how many of them were already returned.
    private var pending: [UInt8] = []
    private var consumed = 0
    private var buffer = [UInt8](repeating: 0, count: 65_536)

    init(path: String) throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw ConnectionError.notReachable(path: path, reason: "a socket's path has at most 107 bytes")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else {
            throw ConnectionError.notReachable(path: path, reason: String(cString: strerror(errno)))
        }
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else {
            let reason = String(cString: strerror(errno))
            close(descriptor)
            throw ConnectionError.notReachable(path: path, reason: reason)
        }
    }

    /// Takes ownership of a connected socket.
    init(connected descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Sends one message; returns whether all of it was sent.
    ///
    /// A peer that refuses a connection replies before it closes it: after false, the reason may still be received.
    @discardableResult
    func send(_ message: [UInt8]) throws -> Bool {
        guard message.count <= FrameLimit.bytes else { throw ConnectionError.tooLong }
        return try FrameWriter(descriptor: descriptor).write(message, deadline: deadline)
    }

    /// Waits for the next message.
    func receive() throws -> [UInt8] {
        var searched = consumed
        while true {
            if let end = pending[searched...].firstIndex(of: 0) {
                let frame = Array(pending[consumed..<end])
                consumed = end + 1
                return frame
            }
            pending.removeFirst(consumed)
            consumed = 0
            searched = pending.count
            guard searched <= FrameLimit.bytes else { throw ConnectionError.tooLong }
            try descriptor.wait(for: POLLIN, until: deadline)
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw ConnectionError.closed }
            pending += buffer[..<count]
        }
    }
}
