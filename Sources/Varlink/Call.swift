/// One call, and the way to answer it.
public struct VarlinkCall: Sendable {
    /// The qualified method, `org.example.interface.Method`.
    public let method: String
    public let parameters: JSONValue
    /// Whether the caller takes several replies.
    public let wantsMore: Bool
    /// Whether the caller takes none.
    public let isOneway: Bool
    /// nil when the kernel does not say.
    public let peer: Peer?
    let send: @Sendable (ReplyMessage) async throws -> Void

    /// The parameters as a type.
    ///
    /// - Throws: ``VarlinkError`` InvalidParameter, naming the one that is missing or of the wrong type.
    public func decode<T: Decodable>(_ type: T.Type) throws -> T {
        do {
            return try Wire.typed(type, parameters)
        } catch DecodingError.keyNotFound(let key, _) {
            throw VarlinkError.invalidParameter(key.stringValue)
        } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
            DecodingError.dataCorrupted(let context)
        {
            throw VarlinkError.invalidParameter(context.codingPath.first?.stringValue ?? "parameters")
        }
    }

    /// Answers; suspends while the caller is slow to read.
    ///
    /// - Parameter continues: true when another reply follows, which the caller must have asked for.
    public func reply(_ message: some Encodable & Sendable, continues: Bool = false) async throws {
        if continues, !wantsMore { throw VarlinkError.expectedMore }
        if isOneway { return }
        try await send(ReplyMessage(parameters: Wire.value(message), continues: continues ? true : nil, error: nil))
    }
}
