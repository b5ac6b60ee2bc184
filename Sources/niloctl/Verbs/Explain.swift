import ArgumentParser
import ControlInterface

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Explain the model of a series and its running state.",
        discussion: """
            Layers with their shapes and parameters, norms of the state, how saturated the gates are, how long the cells \
            remember, and how many of the newest values lay inside their forecast intervals.

            Example: niloctl explain 'room,id=1 t'
            """)
    @OptionGroup var common: CommonOptions
    @Argument(help: "The series, such as 'room,id=1 t'.", completion: .custom(Names.series)) var series: String

    func run() throws {
        try common.connected { client in
            let name = try client.resolve(series)
            let question = Control.Explain.Request(series: name)
            let reply = try client.call(Control.qualified("Explain"), question, as: Control.Explain.Reply.self)
            try common.show(reply, Self.text)
            if !common.json { try Scores.printExperts(of: name, client) }
        }
    }

    private static func text(_ reply: Control.Explain.Reply) -> String {
        let head = "\(reply.series)   \(reply.forecaster): \(reply.method), version \(reply.modelVersion)\n\n"
        let findings = reply.findings + [coverage(reply)].compactMap(\.self)
        let width = findings.map(\.name.count).max() ?? 0
        let lines = findings.map { finding in
            let padding = String(repeating: " ", count: width - finding.name.count)
            let value = "\(short(finding.value, digits: 3)) \(finding.unit)"
            return "\(finding.name)\(padding)  \(value)\(String(repeating: " ", count: max(0, 12 - value.count)))"
                + "  \(finding.meaning)\n"
        }
        return head + reply.summary + "\n\n" + "over the newest \(reply.steps) steps:\n" + lines.joined()
    }

    private static func coverage(_ reply: Control.Explain.Reply) -> Finding? {
        reply.coverage.map { coverage in
            Finding(
                name: "coverage", value: 100 * coverage, unit: "%",
                meaning: "of \(reply.compared) values lay inside their forecast interval of "
                    + "\(short(100 * reply.interval, digits: 3)) %")
        }
    }
}
