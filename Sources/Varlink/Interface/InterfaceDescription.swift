/// An interface file, parsed and checked (https://varlink.org/Interface-Definition).
public struct InterfaceDescription: Sendable, Hashable {
    /// The reverse domain name, `org.example.interface`.
    public let name: String
    /// The file as it was written.
    public let text: String
    /// The named types, in file order.
    public internal(set) var types: [Member<VarlinkType>] = []
    /// The methods, in file order.
    public internal(set) var methods: [Member<Signature>] = []
    /// The errors and their parameters.
    public internal(set) var errors: [Member<[Field]>] = []

    /// A named part of the file.
    public struct Member<Value: Sendable & Hashable>: Sendable, Hashable {
        public var name: String
        public var value: Value
    }

    /// The parameters of a method and of its reply.
    public struct Signature: Sendable, Hashable {
        public var input: [Field]
        public var output: [Field]
    }

    /// A member of a struct, a parameter of a method or of an error.
    public struct Field: Sendable, Hashable {
        public var name: String
        public var type: VarlinkType

        public init(name: String, type: VarlinkType) {
            self.name = name
            self.type = type
        }
    }

    /// The type named `name`; nil if there is none.
    public func type(named name: String) -> VarlinkType? { types.first { $0.name == name }?.value }

    /// The method with that unqualified name; nil if there is none.
    public func method(named name: String) -> Signature? { methods.first { $0.name == name }?.value }
}

/// A Varlink type, as the interface file writes it.
public indirect enum VarlinkType: Sendable, Hashable {
    case bool
    case int
    case float
    case string
    /// Any JSON object.
    case object
    /// `?T`: may be left out or null.
    case maybe(VarlinkType)
    /// `[]T`.
    case array(VarlinkType)
    /// `[string]T`.
    case dictionary(VarlinkType)
    /// `(one, two)`: one of these strings.
    case enumeration([String])
    /// `(name: T, …)`.
    case structure([InterfaceDescription.Field])
    /// A type that the interface defines by name.
    case named(String)

    /// Whether a value may be left out.
    public var isOptional: Bool { if case .maybe = self { true } else { false } }
}

/// Why an interface file, or the service's table of methods, is rejected.
public enum InterfaceError: Error, Sendable, Hashable, CustomStringConvertible {
    case syntax(line: Int, column: Int, expected: String, found: String)
    /// A name is defined twice: a type, method or error of the interface, or a field of `place`.
    case duplicate(name: String, place: String)
    case undefinedType(name: String, place: String)
    /// A type contains itself without `?`, `[]` or `[string]` in between, so that none of its values is finite.
    case endless(type: String)
    /// A handler is given for a method that the interface does not declare.
    case undeclaredMethod(name: String, interface: String)

    public var description: String {
        switch self {
        case .syntax(let line, let column, let expected, let found):
            "\(line):\(column): expected \(expected), found \(found)"
        case .duplicate(let name, let place): "\(name) is defined twice in \(place)"
        case .undefinedType(let name, let place): "\(place) uses the type \(name), which is not defined"
        case .endless(let type): "the type \(type) contains itself: put ?, [] or [string] between"
        case .undeclaredMethod(let name, let interface):
            "\(interface) declares no method \(name): add it to the interface file or remove its answer"
        }
    }
}
