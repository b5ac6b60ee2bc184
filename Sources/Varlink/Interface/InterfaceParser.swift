extension InterfaceDescription {
    /// Parses and checks an interface file.
    ///
    /// - Throws: ``InterfaceError``, with line and column where the text itself is wrong.
    public init(parsing text: String) throws {
        var parser = InterfaceParser(text)
        self = try parser.interface(text)
        try InterfaceCheck(self).run()
    }
}

/// The grammar of https://varlink.org/Interface-Definition, one function per rule.
private struct InterfaceParser {
    private var cursor: InterfaceCursor
    /// The maximum nesting depth of types; the parser is recursive.
    private static let maximumDepth = 64

    init(_ text: String) { cursor = InterfaceCursor(text) }

    mutating func interface(_ text: String) throws -> InterfaceDescription {
        _ = try cursor.word("the word interface") { $0 == "interface" }
        let name = try cursor.word("a name such as org.example.name", extra: ".-", InterfaceName.isInterface)
        var description = InterfaceDescription(name: name, text: text)
        repeat { try member(&description) } while cursor.peek() != nil
        return description
    }

    private mutating func member(_ description: inout InterfaceDescription) throws {
        switch try cursor.word("type, method or error", { ["type", "method", "error"].contains($0) }) {
        case "type": description.types.append(.init(name: try memberName(), value: try parentheses(depth: 0)))
        case "method":
            let (name, input) = (try memberName(), try fields(depth: 0))
            try cursor.expect("->")
            description.methods.append(.init(name: name, value: .init(input: input, output: try fields(depth: 0))))
        default: description.errors.append(.init(name: try memberName(), value: try fields(depth: 0)))
        }
    }

    private mutating func memberName() throws -> String {
        try cursor.word("a name that starts with a capital letter", InterfaceName.isMember)
    }

    private mutating func fieldName() throws -> String {
        try cursor.word("a name that starts with a letter", InterfaceName.isField)
    }

    private mutating func type(depth: Int) throws -> VarlinkType {
        guard depth < Self.maximumDepth else { throw cursor.failure("at most \(Self.maximumDepth) levels of types") }
        if cursor.accept("?") {
            guard cursor.peek() != UInt8(ascii: "?") else { throw cursor.failure("a type after ?") }
            return .maybe(try type(depth: depth + 1))
        }
        if cursor.accept("[]") { return .array(try type(depth: depth + 1)) }
        if cursor.accept("[string]") { return .dictionary(try type(depth: depth + 1)) }
        if cursor.peek() == UInt8(ascii: "(") { return try parentheses(depth: depth + 1) }
        return try plainType()
    }

    private mutating func plainType() throws -> VarlinkType {
        let plain: [String: VarlinkType] = [
            "bool": .bool, "int": .int, "float": .float, "string": .string, "object": .object,
        ]
        let word = try cursor.word("a type") { plain[$0] != nil || InterfaceName.isMember($0) }
        return plain[word] ?? .named(word)
    }

    private mutating func fields(depth: Int) throws -> [InterfaceDescription.Field] {
        var lookahead = cursor
        guard case .structure(let fields) = try parentheses(depth: depth) else {
            throw lookahead.failure("fields with types")
        }
        return fields
    }

    /// `(one, two)`, `(name: T, …)` or `()`.
    private mutating func parentheses(depth: Int) throws -> VarlinkType {
        try cursor.expect("(")
        if cursor.accept(")") { return .structure([]) }
        let first = try fieldName()
        guard cursor.accept(":") else { return try enumeration(first) }
        var fields = [InterfaceDescription.Field(name: first, type: try type(depth: depth + 1))]
        while cursor.accept(",") {
            let name = try fieldName()
            try cursor.expect(":")
            fields.append(.init(name: name, type: try type(depth: depth + 1)))
        }
        try cursor.expect(")")
        return .structure(fields)
    }

    private mutating func enumeration(_ first: String) throws -> VarlinkType {
        var cases = [first]
        while cursor.accept(",") { cases.append(try fieldName()) }
        try cursor.expect(")")
        return .enumeration(cases)
    }
}
