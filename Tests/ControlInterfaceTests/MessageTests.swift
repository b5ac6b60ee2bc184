import ControlInterface
import Testing
import Varlink

/// An interface file and the messages that are kept beside it.
struct Contract: Sendable, CustomTestStringConvertible {
    typealias Message = any (Decodable & Sendable).Type
    struct Nothing: Codable {}

    let name: String
    let file: String
    let messages: [String: (question: Message, reply: Message)]
    let types: [String: Message]
    let errors: [VarlinkError]

    var testDescription: String { name }
    var interface: InterfaceDescription { get throws { try InterfaceDescription(parsing: file) } }

    static let all = [control, forecaster]

    static let control = Contract(
        name: Control.name, file: Control.description,
        messages: [
            "GetStatus": (Nothing.self, Control.GetStatus.Reply.self),
            "Examine": (Nothing.self, Control.Examine.Reply.self),
            "ListSeries": (Control.ListSeries.Request.self, Control.ListSeries.Reply.self),
            "Ingest": (Control.Ingest.Request.self, Control.Ingest.Reply.self),
            "GetForecast": (Control.GetForecast.Request.self, Control.GetForecast.Reply.self),
            "Explain": (Control.Explain.Request.self, Control.Explain.Reply.self),
            "GetScores": (Control.GetScores.Request.self, Control.GetScores.Reply.self),
            "Watch": (Control.Watch.Request.self, Control.Watch.Reply.self),
            "ListForecasters": (Nothing.self, Control.ListForecasters.Reply.self),
            "Retrain": (Control.Retrain.Request.self, Control.Retrain.Reply.self),
            "ListModels": (Control.ListModels.Request.self, Control.ListModels.Reply.self),
            "ListModelEvents": (Control.ListModelEvents.Request.self, Control.ListModelEvents.Reply.self),
            "Promote": (Control.Promote.Request.self, Control.Promote.Reply.self),
            "Rollback": (Control.Rollback.Request.self, Control.Rollback.Reply.self),
            "GetState": (Control.GetState.Request.self, Control.GetState.Reply.self),
            "Reset": (Control.Reset.Request.self, Control.Reset.Reply.self),
            "Export": (Control.Export.Request.self, Control.Export.Reply.self),
            "Backup": (Nothing.self, Control.Backup.Reply.self),
            "Forget": (Control.Forget.Request.self, Control.Forget.Reply.self),
            "Expire": (Nothing.self, Control.Expire.Reply.self),
            "Reload": (Nothing.self, Control.Reload.Reply.self),
            "ListPlugins": (Nothing.self, Control.ListPlugins.Reply.self),
        ],
        types: [
            "Series": Series.self, "Problem": Problem.self, "Lead": Lead.self, "Point": Point.self,
            "Forecast": Forecast.self, "Forecaster": Forecaster.self, "Score": Score.self, "Model": Model.self,
            "ModelEvent": ModelEvent.self,
            "Expert": Expert.self, "LeadScore": LeadScore.self, "LeadCoverage": LeadCoverage.self,
            "ForecasterCoverage": ForecasterCoverage.self, "SeriesScores": SeriesScores.self,
            "Finding": Finding.self, "Anomaly": Anomaly.self, "Plugin": Plugin.self, "Sink": Sink.self,
        ],
        errors: [
            ControlError.unknownSeries(name: "a", nearest: ["b"], text: "t"), .refused(text: "t"),
            .notPermitted(text: "t"), .busy(text: "t"),
        ].map(\.varlink))

    static let forecaster = Contract(
        name: ForecasterInterface.name, file: ForecasterInterface.description,
        messages: [
            "Describe": (Nothing.self, ForecasterInterface.Describe.Reply.self),
            "Load": (ForecasterInterface.Load.Request.self, ForecasterInterface.Load.Reply.self),
            "Unload": (ForecasterInterface.Unload.Request.self, ForecasterInterface.Unload.Reply.self),
            "Advance": (ForecasterInterface.Advance.Request.self, ForecasterInterface.Advance.Reply.self),
            "Train": (ForecasterInterface.Train.Request.self, ForecasterInterface.Train.Reply.self),
        ],
        types: ["Specification": ForecasterSpecification.self, "Expert": ForecasterExpert.self],
        errors: [
            ForecasterInterfaceError.badParameter(parameter: "p", text: "t"), .badWeights(text: "t"),
            .unknownModel(model: "m"), .badPayload(name: "n", text: "t"), .trainingFailed(text: "t"),
        ].map(\.varlink))
}

/// The hand-kept messages are those of the interface files: every name, type and optionality.
@Suite struct MessageTests {
    @Test("the interface file is right, and has the name it is served under", arguments: Contract.all)
    func file(_ contract: Contract) throws { #expect(try contract.interface.name == contract.name) }

    @Test("every method has messages with the file's fields, and there are no others", arguments: Contract.all)
    func methods(_ contract: Contract) throws {
        let interface = try contract.interface
        #expect(Set(interface.methods.map(\.name)) == Set(contract.messages.keys))
        for method in interface.methods {
            let (question, reply) = try #require(contract.messages[method.name])
            let (input, output) = (interface.resolved(method.value.input), interface.resolved(method.value.output))
            #expect(try fields(of: question) == input, "the question of \(method.name)")
            #expect(try fields(of: reply) == output, "the reply of \(method.name)")
        }
    }

    @Test("every named type has a message with the file's fields, and there are no others", arguments: Contract.all)
    func namedTypes(_ contract: Contract) throws {
        let interface = try contract.interface
        #expect(Set(interface.types.map(\.name)) == Set(contract.types.keys))
        for type in interface.types {
            let message = try #require(contract.types[type.name])
            #expect(try Schema.of(message) == interface.resolved(type.value), "the type \(type.name)")
        }
    }

    @Test("every error has the file's parameters, and there are no others", arguments: Contract.all)
    func errors(_ contract: Contract) throws {
        let interface = try contract.interface
        #expect(Set(interface.errors.map { "\(contract.name).\($0.name)" }) == Set(contract.errors.map(\.name)))
        for error in contract.errors {
            let declared = try #require(interface.errors.first { "\(contract.name).\($0.name)" == error.name })
            #expect(Set(declared.value.map(\.name)) == Set(error.parameters.keys))
            for field in declared.value {
                let value = try #require(error.parameters[field.name])
                #expect(Self.fits(value, interface.resolved(field.type)), "\(error.name) \(field.name)")
            }
        }
    }

    private func fields(of message: any Decodable.Type) throws -> Set<InterfaceDescription.Field> {
        guard case .structure(let fields) = try Schema.of(message) else { return [] }
        return Set(fields)
    }

    private static func fits(_ value: JSONValue, _ type: VarlinkType) -> Bool {
        switch (value, type) {
        case (.string, .string), (.integer, .int), (.number, .float), (.boolean, .bool): true
        case (.array(let elements), .array(let inner)): elements.allSatisfy { fits($0, inner) }
        default: false
        }
    }
}

extension InterfaceDescription {
    fileprivate func resolved(_ fields: [Field]) -> Set<Field> {
        Set(fields.map { .init(name: $0.name, type: resolved($0.type)) })
    }

    /// `type` with the names of types replaced by what they stand for.
    fileprivate func resolved(_ type: VarlinkType) -> VarlinkType {
        switch type {
        case .maybe(let inner): .maybe(resolved(inner))
        case .array(let inner): .array(resolved(inner))
        case .dictionary(let inner): .dictionary(resolved(inner))
        case .structure(let fields):
            .structure(fields.map { .init(name: $0.name, type: resolved($0.type)) })
        case .named(let name): self.type(named: name).map(resolved) ?? type
        default: type
        }
    }
}
