/// A client of one Varlink service: calls block until they are answered.
///
/// Plain blocking sockets on purpose: a command that asks one question should start and answer at once. Not safe to use
/// from several threads.
public final class VarlinkClient {
    private let socket: FrameSocket

    /// Connects to the socket at `path`.
    ///
    /// - Throws: ``ConnectionError/notReachable(path:reason:)``.
    public init(path: String) throws { socket = try FrameSocket(path: path) }

    /// Takes over a socket that is connected already, as a parent hands it to a child.
    public init(connected descriptor: Int32) { socket = FrameSocket(connected: descriptor) }

    /// When a call gives up with ``ConnectionError/timedOut(_:)``; nil: never. After that the connection is of no more
    /// use: the late answer may still come.
    public var deadline: ContinuousClock.Instant? {
        get { socket.deadline }
        set { socket.deadline = newValue }
    }

    /// One call, one reply.
    ///
    /// - Throws: ``VarlinkError`` as the service gave it, ``ConnectionError``, or `DecodingError` if the reply is not of
    ///   the type.
    public func call<Reply: Decodable>(
        _ method: String, _ parameters: some Encodable = [String: String](), as type: Reply.Type = Reply.self
    ) throws -> Reply {
        try socket.send(CallEnvelope.encode(method, parameters))
        return try receive().decode(type)
    }

    /// One call, many replies: each is handed to `body` until it returns false or there are no more.
    ///
    /// After `body` returned false the connection is of no more use: the service goes on answering.
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

    /// One call, no reply, whatever comes of it.
    public func oneway(_ method: String, _ parameters: some Encodable = [String: String]()) throws {
        guard try socket.send(CallEnvelope.encode(method, parameters, oneway: true)) else {
            throw ConnectionError.closed
        }
    }

    /// The text of an interface of the service.
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
