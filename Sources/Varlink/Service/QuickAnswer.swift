/// Answers a call where it arrives, on the event loop of its connection; nil hands the call to the ordinary answer.
///
/// A switch between threads costs more than most answers that are known already. Every connection of the same loop waits
/// meanwhile: no files, no computing beyond the first encoding of what is known, no lock that anybody holds for long. An answer that is given must be the one that
/// the ordinary way would give.
public typealias QuickAnswer = @Sendable (QuickCall) -> EncodedReply?

/// A call that may be answered at once.
public struct QuickCall: Sendable {
    private let envelope: CallEnvelope
    /// nil when the kernel does not say.
    public let peer: Peer?

    init(_ envelope: CallEnvelope, peer: Peer?) {
        self.envelope = envelope
        self.peer = peer
    }

    /// The parameters as a type, as ``VarlinkCall/decode(_:)`` gives them.
    ///
    /// - Throws: ``VarlinkError`` InvalidParameter, naming the one that does not fit the type.
    public func decode<T: Decodable>(_ type: T.Type) throws -> T { try envelope.decode(type) }
}

/// The parameters of a reply, encoded once for everybody who gets it.
public struct EncodedReply: Sendable, Hashable {
    /// JSON, an object.
    public let parameters: [UInt8]

    /// - Throws: what the message throws when it is encoded.
    public init(_ message: some Encodable) throws { parameters = try JSONBytes.encode(message) }

    /// Parameters that ``JSONBytes`` has encoded.
    package init(parameters: [UInt8]) { self.parameters = parameters }
}
