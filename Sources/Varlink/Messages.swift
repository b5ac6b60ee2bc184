#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A call on the wire.
struct CallMessage: Codable {
    var method: String
    var parameters: JSONValue?
    var more: Bool?
    var oneway: Bool?
}

/// A reply on the wire.
struct ReplyMessage: Codable {
    var parameters: JSONValue?
    var continues: Bool?
    var error: String?
}

/// An error as Varlink carries it: a qualified name and parameters.
public struct VarlinkError: Error, Sendable, Hashable, CustomStringConvertible {
    /// `org.example.interface.ErrorName`.
    public var name: String
    public var parameters: [String: JSONValue]

    public init(_ name: String, _ parameters: [String: JSONValue] = [:]) {
        self.name = name
        self.parameters = parameters
    }

    public var description: String {
        let texts = parameters.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        return ([name] + texts).joined(separator: " ")
    }

    /// The text of a parameter; nil if there is none of that name.
    public func text(_ name: String) -> String? {
        if case .string(let text)? = parameters[name] { text } else { nil }
    }

    static func methodNotFound(_ method: String) -> VarlinkError {
        VarlinkError("org.varlink.service.MethodNotFound", ["method": .string(method)])
    }
    static func interfaceNotFound(_ name: String) -> VarlinkError {
        VarlinkError("org.varlink.service.InterfaceNotFound", ["interface": .string(name)])
    }
    public static func invalidParameter(_ name: String) -> VarlinkError {
        VarlinkError("org.varlink.service.InvalidParameter", ["parameter": .string(name)])
    }
    public static let expectedMore = VarlinkError("org.varlink.service.ExpectedMore")
}

/// Why a connection could not be made or was lost.
public enum ConnectionError: Error, Sendable, Hashable, CustomStringConvertible {
    case notReachable(path: String, reason: String)
    case closed
    case malformed(String)

    public var description: String {
        switch self {
        case .notReachable(let path, let reason): "nobody answers on \(path): \(reason)"
        case .closed: "the other side closed the connection"
        case .malformed(let reason): "the other side does not speak Varlink: \(reason)"
        }
    }
}

enum Wire {
    static func encode(_ message: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        // JSON has no NaN and no infinities; as text they at least cross the wire.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return [UInt8](try encoder.encode(message))
    }

    static func decode<T: Decodable>(_ type: T.Type, _ bytes: [UInt8]) throws -> T {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return try decoder.decode(type, from: Data(bytes))
    }

    /// A typed value as JSON, and back.
    static func value(_ message: some Encodable) throws -> JSONValue { try decode(JSONValue.self, encode(message)) }
    static func typed<T: Decodable>(_ type: T.Type, _ value: JSONValue) throws -> T { try decode(type, encode(value)) }
}
