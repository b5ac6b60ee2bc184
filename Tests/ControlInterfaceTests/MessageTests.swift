import ControlInterface
import Testing
import Varlink

/// The hand-kept messages are those of the interface file: every name, type and optionality.
@Suite struct MessageTests {
    struct Nothing: Codable {}

    static let messages: [String: (question: any (Decodable & Sendable).Type, reply: any (Decodable & Sendable).Type)] =
        [
            "GetStatus": (Nothing.self, Reply.GetStatus.self), "Examine": (Nothing.self, Reply.Examine.self),
            "ListSeries": (Question.Selected.self, Reply.ListSeries.self),
            "Ingest": (Question.Ingest.self, Reply.Ingest.self),
            "GetForecast": (Question.Forecast.self, Reply.GetForecast.self),
            "Explain": (Question.OfSeries.self, Reply.Explain.self),
            "Watch": (Question.Selected.self, Reply.Watch.self),
            "ListForecasters": (Nothing.self, Reply.ListForecasters.self),
            "Retrain": (Question.OfForecaster.self, Reply.Retrain.self),
            "ListModels": (Question.OfForecaster.self, Reply.ListModels.self),
            "Promote": (Question.Promote.self, Reply.Promote.self),
            "Rollback": (Question.OfForecaster.self, Reply.Rollback.self),
            "GetState": (Question.OfSeries.self, Reply.GetState.self),
            "Reset": (Question.Reset.self, Reply.Reset.self),
            "Export": (Question.Export.self, Reply.Export.self),
            "Backup": (Nothing.self, Reply.Backup.self),
            "Forget": (Question.Forget.self, Reply.Forget.self),
            "Reload": (Nothing.self, Reply.Reload.self),
        ]
    static let types: [String: any (Decodable & Sendable).Type] = [
        "Series": Series.self, "Problem": Problem.self, "Lead": Lead.self, "Point": Point.self,
        "Forecast": Forecast.self, "Forecaster": Forecaster.self, "Score": Score.self, "Model": Model.self,
        "Finding": Finding.self,
    ]
    static let errors: [ControlError] = [
        .unknownSeries(name: "a", nearest: ["b"], text: "t"), .refused(text: "t"), .notPermitted(text: "t"),
        .busy(text: "t"),
    ]

    let interface: InterfaceDescription

    init() throws { interface = try InterfaceDescription(parsing: Control.description) }

    @Test("the interface file is right, and has the name it is served under")
    func file() { #expect(interface.name == Control.name) }

    @Test("every method has messages with the file's fields, and there are no others")
    func methods() throws {
        #expect(Set(interface.methods.map(\.name)) == Set(Self.messages.keys))
        for method in interface.methods {
            let (question, reply) = try #require(Self.messages[method.name])
            #expect(try fields(of: question) == resolved(method.value.input), "the question of \(method.name)")
            #expect(try fields(of: reply) == resolved(method.value.output), "the reply of \(method.name)")
        }
    }

    @Test("every named type has a message with the file's fields, and there are no others")
    func namedTypes() throws {
        #expect(Set(interface.types.map(\.name)) == Set(Self.types.keys))
        for type in interface.types {
            let message = try #require(Self.types[type.name])
            #expect(try Schema.of(message) == resolved(type.value), "the type \(type.name)")
        }
    }

    @Test("every error has the file's parameters, and there are no others")
    func errors() throws {
        #expect(Set(interface.errors.map { Control.qualified($0.name) }) == Set(Self.errors.map(\.varlink.name)))
        for error in Self.errors.map(\.varlink) {
            let declared = try #require(interface.errors.first { Control.qualified($0.name) == error.name })
            #expect(Set(declared.value.map(\.name)) == Set(error.parameters.keys))
            for field in declared.value {
                let value = try #require(error.parameters[field.name])
                #expect(Self.fits(value, resolved(field.type)), "\(error.name) \(field.name)")
            }
        }
    }

    private func fields(of message: any Decodable.Type) throws -> Set<InterfaceDescription.Field> {
        guard case .structure(let fields) = try Schema.of(message) else { return [] }
        return Set(fields)
    }

    private func resolved(_ fields: [InterfaceDescription.Field]) -> Set<InterfaceDescription.Field> {
        Set(fields.map { .init(name: $0.name, type: resolved($0.type)) })
    }

    /// `type` with the names of types replaced by what they stand for.
    private func resolved(_ type: VarlinkType) -> VarlinkType {
        switch type {
        case .maybe(let inner): .maybe(resolved(inner))
        case .array(let inner): .array(resolved(inner))
        case .dictionary(let inner): .dictionary(resolved(inner))
        case .structure(let fields):
            .structure(fields.map { .init(name: $0.name, type: resolved($0.type)) })
        case .named(let name): interface.type(named: name).map(resolved) ?? type
        default: type
        }
    }

    private static func fits(_ value: JSONValue, _ type: VarlinkType) -> Bool {
        switch (value, type) {
        case (.string, .string), (.integer, .int), (.number, .float), (.boolean, .bool): true
        case (.array(let elements), .array(let inner)): elements.allSatisfy { fits($0, inner) }
        default: false
        }
    }
}
