/// Answers a call on the event loop of its connection; nil passes the call to the ordinary handler.
///
/// A thread switch costs more than most answers that are known already. All connections of the same loop wait
/// meanwhile, so it must not read files, compute more than the first encoding of what is known, or take a lock that is
/// held for long. It must give the same answer as the ordinary handler.
public typealias QuickAnswer = @Sendable (QuickCall) -> EncodedReply?

/// A call that may be answered on the event loop.
public struct QuickCall: Sendable {
    private let envelope: CallEnvelope
    /// The caller; nil if the kernel does not say.
    public let peer: Peer?

    init(_ envelope: CallEnvelope, peer: Peer?) {
        self.envelope = envelope
        self.peer = peer
    }

    /// Decodes the parameters, as ``VarlinkCall/decode(_:)`` does.
    ///
    /// - Throws: ``VarlinkError`` InvalidParameter, naming the one that does not match the type.
    public func decode<T: Decodable>(_ type: T.Type) throws -> T { try envelope.decode(type) }
}

/// The parameters of a reply, encoded once for all recipients.
public struct EncodedReply: Sendable, Hashable {
    /// A JSON object.
    public let parameters: [UInt8]

    /// - Throws: the errors of encoding the message.
    public init(_ message: some Encodable) throws { parameters = try JSONBytes.encode(message) }

    /// Parameters that ``JSONBytes`` has encoded.
    package init(parameters: [UInt8]) { self.parameters = parameters }
}
