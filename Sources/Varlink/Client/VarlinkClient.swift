/// A client of one Varlink service whose calls block until they are answered.
///
/// Uses plain blocking sockets on purpose: a command that makes one call should start and finish at once. Not
/// thread-safe.
public final class VarlinkClient {
    private let socket: FrameSocket

    /// Connects to the socket at `path`.
    ///
    /// - Throws: ``ConnectionError/notReachable(path:reason:)``.
    public init(path: String) throws { socket = try FrameSocket(path: path) }

    /// Takes ownership of a connected socket, such as one that a parent process passes to a child.
    public init(connected descriptor: Int32) { socket = FrameSocket(connected: descriptor) }

    /// When a call gives up with ``ConnectionError/timedOut(_:)``; nil: never. After a timeout the connection must not
    /// be used again: the late reply may still arrive.
    public var deadline: ContinuousClock.Instant? {
        get { socket.deadline }
        set { socket.deadline = newValue }
    }

    /// Makes one call that has one reply.
    ///
    /// - Throws: ``VarlinkError`` from the service, ``ConnectionError``, or `DecodingError` if the reply does not match
    ///   the type.
    public func call<Reply: Decodable>(
        _ method: String, _ parameters: some Encodable = [String: String](), as type: Reply.Type = Reply.self
    ) throws -> Reply {
        try socket.send(CallEnvelope.encode(method, parameters))
        return try receive().decode(type)
    }

    /// Makes one call that has many replies: calls `body` with each until it returns false or there are no more.
    ///
    /// After `body` has returned false the connection must not be used again: the service goes on replying.
    public func stream<Reply: Decodable>(
        _ method: String, _ parameters: some Encodable = [String: String](), as type: Reply.Type = Reply.self,
        _ body: (Reply) throws -> Bool
    ) throws {
        try socket.send(CallEnvelope.encode(method, parameters, more: true))
        while true {
            let reply = try receive()
            guard try body(reply.decode(type)), reply.continues else { return }
        }
    }

    /// Makes one call that has no reply, whether it succeeds or not.
    public func oneway(_ method: String, _ parameters: some Encodable = [String: String]()) throws {
        guard try socket.send(CallEnvelope.encode(method, parameters, oneway: true)) else {
            throw ConnectionError.closed
        }
    }

    /// The interface file of one of the service's interfaces.
    public func interfaceText(_ name: String) throws -> String {
        struct Reply: Decodable { let description: String }
        return try call("org.varlink.service.GetInterfaceDescription", ["interface": name], as: Reply.self).description
    }

    private func receive() throws -> ReplyEnvelope {
        let reply = try ReplyEnvelope(socket.receive())
        guard let error = reply.error else { return reply }
        throw VarlinkError(error, try reply.decode([String: JSONValue].self))
    }
}
