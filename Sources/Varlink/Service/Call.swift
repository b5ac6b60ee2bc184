/// One call and the means to answer it.
public struct VarlinkCall: Sendable {
    private let envelope: CallEnvelope
    /// The caller; nil if the kernel does not say.
    public let peer: Peer?
    private let send: @Sendable ([UInt8]) async throws -> Void

    init(_ envelope: CallEnvelope, peer: Peer?, send: @escaping @Sendable ([UInt8]) async throws -> Void) {
        self.envelope = envelope
        self.peer = peer
        self.send = send
    }

    /// The qualified name of the method, `org.example.interface.Method`.
    public var method: String { envelope.method }
    /// Whether the caller accepts several replies.
    public var wantsMore: Bool { envelope.more }
    /// Whether the caller wants no reply.
    public var isOneway: Bool { envelope.oneway }
    /// Whether the caller wants to switch this connection to another protocol.
    var wantsUpgrade: Bool { envelope.upgrade }

    /// Decodes the parameters. They have been checked against the interface file before.
    ///
    /// - Throws: ``VarlinkError`` InvalidParameter, naming the one that does not match the type.
    public func decode<T: Decodable>(_ type: T.Type) throws -> T { try envelope.decode(type) }

    func firstMismatch(_ method: VarlinkInterface.Method, _ check: ParameterCheck) throws -> String? {
        try check.firstMismatch(method.input, envelope.frame, at: envelope.parameters)
    }

    /// Replies; suspends while the caller is slow to read.
    ///
    /// - Parameters:
    ///   - message: the reply's parameters.
    ///   - continues: true if another reply follows, which the caller must have asked for.
    public func reply(_ message: some Encodable & Sendable, continues: Bool = false) async throws {
        if continues, !wantsMore { throw VarlinkError.expectedMore }
        if isOneway { return }
        try await send(ReplyEnvelope.encode(message, continues: continues))
    }

    /// Replies with a message that was encoded before.
    public func reply(_ message: EncodedReply, continues: Bool = false) async throws {
        if continues, !wantsMore { throw VarlinkError.expectedMore }
        if isOneway { return }
        try await send(ReplyEnvelope.encode(message, continues: continues))
    }
}

extension CallEnvelope {
    /// Decodes the parameters.
    ///
    /// - Throws: ``VarlinkError`` InvalidParameter, naming the one that does not match the type.
    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        do {
            return try Envelope.decode(type, frame, parameters)
        } catch DecodingError.keyNotFound(let key, let context) {
            throw VarlinkError.invalidParameter((context.codingPath.first ?? key).stringValue)
        } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
            DecodingError.dataCorrupted(let context)
        {
            throw VarlinkError.invalidParameter(context.codingPath.first?.stringValue ?? "parameters")
        }
    }
}
