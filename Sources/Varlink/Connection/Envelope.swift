/// A call in its frame: the parameters stay encoded until their type is known.
struct CallEnvelope {
    let frame: [UInt8]
    var method = ""
    /// The offset of the parameters in the frame; nil if there are none.
    var parameters: Int?
    var more = false
    var oneway = false
    var upgrade = false

    /// - Throws: ``ConnectionError/malformed(_:)`` if the frame is not a call.
    init(_ frame: [UInt8]) throws {
        self.frame = frame
        var method: String?
        try Envelope.members(of: frame) { scanner, name in
            switch name {
            case "method": method = try scanner.decoded(scanner.string())
            case "parameters": parameters = try Envelope.value(&scanner)
            case "more": more = try Envelope.flag(&scanner)
            case "oneway": oneway = try Envelope.flag(&scanner)
            case "upgrade": upgrade = try Envelope.flag(&scanner)
            default: try scanner.skipValue()
            }
        }
        guard let method else { throw ConnectionError.malformed("a call without a method") }
        self.method = method
    }

    /// The frame of a call, without its NUL byte.
    static func encode(
        _ method: String, _ parameters: some Encodable, more: Bool = false, oneway: Bool = false
    ) throws -> [UInt8] {
        let output = JSONOutput()
        output.beginObject()
        output.name("method", at: 1)
        output.string(method)
        output.name("parameters", at: 1)
        try output.value(parameters)
        if more { Envelope.setFlag("more", output) }
        if oneway { Envelope.setFlag("oneway", output) }
        output.closeContainers(to: 0)
        return output.bytes
    }
}

/// A reply in its frame.
struct ReplyEnvelope {
    let frame: [UInt8]
    var parameters: Int?
    var continues = false
    var error: String?

    /// - Throws: ``ConnectionError/malformed(_:)`` if the frame is not a reply.
    init(_ frame: [UInt8]) throws {
        self.frame = frame
        try Envelope.members(of: frame) { scanner, name in
            switch name {
            case "parameters": parameters = try Envelope.value(&scanner)
            case "continues": continues = try Envelope.flag(&scanner)
            case "error":
                error = scanner.peek() == UInt8(ascii: "n") ? nil : try scanner.decoded(scanner.string())
                if error == nil { try scanner.skipValue() }
            default: try scanner.skipValue()
            }
        }
    }

    /// Decodes the parameters.
    func decode<T: Decodable>(_ type: T.Type) throws -> T { try Envelope.decode(type, frame, parameters) }

    /// The frame of a reply, without its NUL byte.
    static func encode(_ parameters: some Encodable, continues: Bool = false) throws -> [UInt8] {
        try encode(JSONOutput(), continues) { try $0.value(parameters) }
    }

    static func encode(_ reply: EncodedReply, continues: Bool = false) -> [UInt8] {
        encode(JSONOutput(capacity: reply.parameters.count + 64), continues) { $0.encoded(reply.parameters) }
    }

    private static func encode(
        _ output: JSONOutput, _ continues: Bool, parameters: (JSONOutput) throws -> Void
    ) rethrows -> [UInt8] {
        output.beginObject()
        output.name("parameters", at: 1)
        try parameters(output)
        if continues { Envelope.setFlag("continues", output) }
        output.closeContainers(to: 0)
        return output.bytes
    }

    static func encode(_ error: VarlinkError) throws -> [UInt8] {
        let output = JSONOutput()
        output.beginObject()
        output.name("error", at: 1)
        output.string(error.name)
        output.name("parameters", at: 1)
        try output.value(error.parameters)
        output.closeContainers(to: 0)
        return output.bytes
    }
}

/// What calls and replies share.
enum Envelope {
    /// Calls `body` with each member of the frame's object, and checks that the whole frame is JSON.
    fileprivate static func members(
        of frame: [UInt8], _ body: (inout JSONScanner, String) throws -> Void
    ) throws {
        do {
            var scanner = JSONScanner(frame)
            try scanner.members { scanner, name in try body(&scanner, scanner.decoded(name)) }
            guard scanner.peek() == nil else { throw scanner.failure("the end of the message") }
        } catch let error as JSONSyntaxError {
            throw ConnectionError.malformed("\(error)")
        }
    }

    /// Skips a value and returns its offset; nil if it is null.
    fileprivate static func value(_ scanner: inout JSONScanner) throws -> Int? {
        let isNull = scanner.peek() == UInt8(ascii: "n")
        let start = scanner.position
        try scanner.skipValue()
        return isNull ? nil : start
    }

    fileprivate static func flag(_ scanner: inout JSONScanner) throws -> Bool {
        switch scanner.peek() {
        case UInt8(ascii: "t"):
            try scanner.literal("true")
            return true
        case UInt8(ascii: "n"): try scanner.literal("null")
        default: try scanner.literal("false")
        }
        return false
    }

    fileprivate static func setFlag(_ name: String, _ output: JSONOutput) {
        output.name(name, at: 1)
        output.plain("true")
    }

    private static let none = Array("{}".utf8)

    /// Decodes the value at the offset `start` of `frame`; without one, an empty object.
    static func decode<T: Decodable>(_ type: T.Type, _ frame: [UInt8], _ start: Int?) throws -> T {
        guard let start else { return try JSONBytes.decode(type, none) }
        return try JSONBytes.decode(type, frame, at: start)
    }
}
