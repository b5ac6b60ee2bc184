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

    /// The text of a parameter; nil if there is no text parameter of that name.
    public func text(_ name: String) -> String? {
        if case .string(let text)? = parameters[name] { text } else { nil }
    }

    /// The errors of `org.varlink.service`, https://varlink.org/Service.
    static func methodNotFound(_ method: String) -> VarlinkError {
        VarlinkError("org.varlink.service.MethodNotFound", ["method": .string(method)])
    }
    static func methodNotImplemented(_ method: String) -> VarlinkError {
        VarlinkError("org.varlink.service.MethodNotImplemented", ["method": .string(method)])
    }
    static func interfaceNotFound(_ name: String) -> VarlinkError {
        VarlinkError("org.varlink.service.InterfaceNotFound", ["interface": .string(name)])
    }
    /// A parameter is missing, unknown, of the wrong type or has a value that is not accepted.
    public static func invalidParameter(_ name: String) -> VarlinkError {
        VarlinkError("org.varlink.service.InvalidParameter", ["parameter": .string(name)])
    }
    /// The method answers with a stream: call it with `more`.
    public static let expectedMore = VarlinkError("org.varlink.service.ExpectedMore")
    /// The caller may not do this.
    public static let permissionDenied = VarlinkError("org.varlink.service.PermissionDenied")
}
