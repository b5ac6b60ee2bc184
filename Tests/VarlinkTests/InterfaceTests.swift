import Testing
import Varlink

@Suite struct InterfaceTests {
    @Test("every type of the language is parsed, comments are skipped")
    func everyType() throws {
        let parsed = try InterfaceDescription(
            parsing: """
                # A comment, # and another one.
                interface org.example.a-b.C1 # here too

                type T (b: bool, i: int, f: float, s: string, o: object, e: (x, y_z), n: ?T, q: []?U,
                  d: ?[string][]U, none: ())
                type U (one, two)
                method M() -> (r: [string](), type: string)
                method N(a: T) -> ()
                error E (why: ?(code: int)) error F ()
                """)
        #expect(parsed.name == "org.example.a-b.C1")
        #expect(
            parsed.type(named: "T")
                == .structure([
                    .init(name: "b", type: .bool), .init(name: "i", type: .int), .init(name: "f", type: .float),
                    .init(name: "s", type: .string), .init(name: "o", type: .object),
                    .init(name: "e", type: .enumeration(["x", "y_z"])), .init(name: "n", type: .maybe(.named("T"))),
                    .init(name: "q", type: .array(.maybe(.named("U")))),
                    .init(name: "d", type: .maybe(.dictionary(.array(.named("U"))))),
                    .init(name: "none", type: .structure([])),
                ]))
        #expect(parsed.type(named: "U") == .enumeration(["one", "two"]))
        #expect(
            parsed.method(named: "M")?.output
                == [.init(name: "r", type: .dictionary(.structure([]))), .init(name: "type", type: .string)])
        #expect(parsed.method(named: "N")?.input == [.init(name: "a", type: .named("T"))])
        #expect(parsed.errors.map(\.name) == ["E", "F"])
    }

    @Test(
        "what is wrong is named with its line and column",
        arguments: [
            ("interfac org.a", 1, 1), ("interface org", 1, 11), ("interface org.a-", 1, 11),
            ("interface org.a\nmethod m() -> ()", 2, 8), ("interface org.a\nmethod M() ()", 2, 12),
            ("interface org.a\nmethod M(a) -> ()", 2, 9), ("interface org.a\ntype T (a: ??int)", 2, 13),
            ("interface org.a\ntype T (a: text)", 2, 12), ("interface org.a\ntype T (a: int,)", 2, 16),
            ("interface org.a\ntype T (a: int, b)", 2, 18), ("interface org.a\ntype T (_a: int)", 2, 9),
            ("interface org.a\ntype T (a__b: int)", 2, 9), ("interface org.a\ntype T (a: int", 2, 15),
            ("interface org.a", 1, 16), ("interface org.a\nmethod M() -> (a, b)", 2, 15),
            ("interface org.a\ntype T (a: [int]int)", 2, 12),
            ("interface org.a\ntype T (a: \(String(repeating: "[]", count: 100))int)", 2, 138),
        ])
    func syntaxErrors(text: String, line: Int, column: Int) {
        let error = #expect(throws: InterfaceError.self) { try InterfaceDescription(parsing: text) }
        guard case .syntax(line, column, _, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test(
        "names are defined, and defined once; a type does not contain itself",
        arguments: [
            ("type T (a: int) method T() -> ()", .duplicate(name: "T", place: "org.a")),
            ("type T (a: int, a: bool)", .duplicate(name: "a", place: "T")),
            ("type T (a, b, a)", .duplicate(name: "a", place: "T")),
            ("method M(a: []X) -> ()", .undefinedType(name: "X", place: "M")),
            ("type T (a: U) type U (b: (c: T))", .endless(type: "T")),
            ("error E (x: Y)", .undefinedType(name: "Y", place: "E")),
        ] as [(String, InterfaceError)])
    func meaning(members: String, expected: InterfaceError) {
        #expect(throws: expected) { try InterfaceDescription(parsing: "interface org.a\n" + members) }
    }

    @Test("an answer for a method that is not declared is refused")
    func undeclaredAnswer() {
        #expect(throws: InterfaceError.undeclaredMethod(name: "N", interface: "org.a")) {
            try VarlinkInterface("interface org.a method M() -> ()", methods: ["N": { _ in }])
        }
    }
}
