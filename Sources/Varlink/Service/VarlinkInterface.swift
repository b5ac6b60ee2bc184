import Basics

/// An interface and the handlers of its methods.
public struct VarlinkInterface: Sendable {
    /// Handles one call: replies, or throws a ``VarlinkError``.
    public typealias Answer = @Sendable (VarlinkCall) async throws -> Void

    /// The interface file, parsed.
    public let description: InterfaceDescription
    private let methods: [String: Method]

    struct Method: Sendable {
        let input: [InterfaceDescription.Field]
        let answer: Answer?
        let quick: QuickAnswer?
    }

    let check: ParameterCheck

    /// - Parameters:
    ///   - text: the interface file.
    ///   - methods: the handlers by unqualified name. A declared method without one is answered with
    ///     MethodNotImplemented.
    ///   - quick: quick answers by unqualified name, tried before the handlers of the same name.
    /// - Throws: ``InterfaceError`` if the file is wrong or does not declare one of the methods.
    public init(_ text: String, methods: [String: Answer], quick: [String: QuickAnswer] = [:]) throws {
        description = try InterfaceDescription(parsing: text)
        check = ParameterCheck(description)
        for name in Set(methods.keys).union(quick.keys).sorted()
        where description.method(named: name) == nil {
            throw InterfaceError.undeclaredMethod(name: name, interface: description.name)
        }
        self.methods = Dictionary(
            keepingFirst: description.methods.map {
                ($0.name, Method(input: $0.value.input, answer: methods[$0.name], quick: quick[$0.name]))
            })
    }

    func method(_ name: String) -> Method? { methods[name] }
    var hasQuickAnswers: Bool { methods.values.contains { $0.quick != nil } }
}
