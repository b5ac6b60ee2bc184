import ArgumentParser
import ControlInterface

struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print readings as CSV, line protocol or JSON lines.",
        discussion: """
            Characters of a series' name that act on a terminal are printed as \\u001b, as everywhere; names that have them \
            are no longer accepted.
            """)
    @OptionGroup var common: CommonOptions
    @Argument(help: "The series or a pattern.", completion: .custom(Names.series)) var selector: String
    @Option(help: "From this time on: \(TimeOption.help)") var start: TimeOption?
    @Option(help: "Up to this time.") var end: TimeOption?
    @Option(help: "csv, line or json; csv if left out, json with --json.") var format: Format?

    enum Format: String, ExpressibleByArgument, CaseIterable { case csv, line, json }

    func run() throws {
        try common.connected { client in
            let question = Control.Export.Request(
                selector: selector, start: start?.text, end: end?.text,
                format: (format ?? (common.json ? .json : .csv)).rawValue)
            try client.stream(Control.qualified("Export"), question, as: Control.Export.Reply.self) { reply in
                Output.print(reply.data)
                return true
            }
        }
    }
}
