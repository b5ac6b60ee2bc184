import Glibc

/// A client of one Varlink service: calls block until they are answered.
///
/// Plain blocking sockets on purpose: a command that asks one question should start and answer at once. Not safe to use
/// from several threads.
public final class VarlinkClient {
    private let descriptor: Int32
    private var pending: [UInt8] = []

    /// Connects to the socket at `path`.
    ///
    /// - Throws: ``ConnectionError/notReachable(path:reason:)``.
    public init(path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw ConnectionError.notReachable(path: path, reason: "a socket's path has at most 107 bytes")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
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

    deinit { close(descriptor) }

    /// One call, one reply.
    ///
    /// - Throws: ``VarlinkError`` as the service gave it, or ``ConnectionError``.
    public func call<Reply: Decodable>(
        _ method: String, _ parameters: some Encodable = [String: String](), as type: Reply.Type = Reply.self
    ) throws -> Reply {
        try send(CallMessage(method: method, parameters: Wire.value(parameters)))
        return try Wire.typed(type, receive().parameters ?? .object([:]))
    }

    /// One call, many replies: each is handed to `body` until it returns false or there are no more.
    public func stream<Reply: Decodable>(
        _ method: String, _ parameters: some Encodable = [String: String](), as type: Reply.Type = Reply.self,
        _ body: (Reply) throws -> Bool
    ) throws {
        try send(CallMessage(method: method, parameters: Wire.value(parameters), more: true))
        while true {
            let reply = try receive()
            let isLast = reply.continues != true
            guard try body(Wire.typed(type, reply.parameters ?? .object([:]))), !isLast else { return }
        }
    }

    private func send(_ message: CallMessage) throws {
        let frame = try Wire.encode(message) + [0]
        var sent = 0
        while sent < frame.count {
            let count = frame[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw ConnectionError.closed }
            sent += count
        }
    }

    private func receive() throws -> ReplyMessage {
        var searched = 0
        while true {
            if let end = pending[searched...].firstIndex(of: 0) {
                let frame = Array(pending[..<end])
                pending.removeSubrange(...end)
                let reply = try Wire.decode(ReplyMessage.self, frame)
                guard let error = reply.error else { return reply }
                if case .object(let parameters)? = reply.parameters { throw VarlinkError(error, parameters) }
                throw VarlinkError(error)
            }
            searched = pending.count
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw ConnectionError.closed }
            pending += buffer[..<count]
        }
    }
}
