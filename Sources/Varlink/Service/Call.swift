/// One call, and the way to answer it.
public struct VarlinkCall: Sendable {
    private let envelope: CallEnvelope
    /// nil when the kernel does not say.
    public let peer: Peer?
    private let send: @Sendable ([UInt8]) async throws -> Void

    init(_ envelope: CallEnvelope, peer: Peer?, send: @escaping @Sendable ([UInt8]) async throws -> Void) {
        self.envelope = envelope
        self.peer = peer
        self.send = send
    }

    /// The qualified method, `org.example.interface.Method`.
    public var method: String { envelope.method }
    /// Whether the caller takes several replies.
    public var wantsMore: Bool { envelope.more }
    /// Whether the caller takes none.
    public var isOneway: Bool { envelope.oneway }
    /// Whether the caller wants another protocol on this connection from now on.
    var wantsUpgrade: Bool { envelope.upgrade }

    /// The parameters as a type. They fit the interface file already, or the call was refused.
    ///
    /// - Throws: ``VarlinkError`` InvalidParameter, naming the one that does not fit the type.
    public func decode<T: Decodable>(_ type: T.Type) throws -> T { try envelope.decode(type) }

    func misfit(_ method: VarlinkInterface.Method, _ check: ParameterCheck) throws -> String? {
        try check.misfit(method.input, envelope.frame, at: envelope.parameters)
    }

    /// Answers; suspends while the caller is slow to read.
    ///
    /// - Parameter continues: true when another reply follows, which the caller must have asked for.
    public func reply(_ message: some Encodable & Sendable, continues: Bool = false) async throws {
        if continues, !wantsMore { throw VarlinkError.expectedMore }
        if isOneway { return }
        try await send(ReplyEnvelope.encode(message, continues: continues))
    }

    /// Answers with what was encoded before, and in everything else as with a message.
    public func reply(_ message: EncodedReply, continues: Bool = false) async throws {
        if continues, !wantsMore { throw VarlinkError.expectedMore }
        if isOneway { return }
        try await send(ReplyEnvelope.encode(message, continues: continues))
    }
}

extension CallEnvelope {
    /// The parameters as a type.
    ///
    /// - Throws: ``VarlinkError`` InvalidParameter, naming the one that does not fit the type.
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
