import ArgumentParser
import ControlInterface

struct Watch: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Follow readings and forecasts as they come.",
        discussion: "On a terminal a selector that fits one series is drawn live.")
    @OptionGroup var common: CommonOptions
    @Argument(help: "A pattern such as 'room,*'.") var selector: String?
    @Option(help: "Stop after so many forecasts.") var count: Int?

    func run() throws {
        try common.connected { client in
            let found = try client.call(
                Control.qualified("ListSeries"), Question.Selected(selector: selector), as: Reply.ListSeries.self)
            let isDrawn = found.series.count == 1 && Output.isTerminal && !common.json
            var seen = 0
            try client.stream(
                Control.qualified("Watch"), Question.Selected(selector: selector), as: Reply.Watch.self
            ) { reply in
                try common.show(reply) { isDrawn ? Self.picture($0) : Self.line($0) }
                if reply.forecast != nil { seen += 1 }
                return count.map { seen < $0 } ?? true
            }
        }
    }

    private static func picture(_ reply: Reply.Watch) -> String {
        reply.forecast.map { "\u{1B}[H\u{1B}[2J" + Plot($0).text } ?? line(reply)
    }

    private static func line(_ reply: Reply.Watch) -> String {
        if let text = reply.model ?? reply.dropped { return "* \(text)\n" }
        guard let forecast = reply.forecast, let last = forecast.history.last, let end = forecast.leads.last else {
            return ""
        }
        let range = "\(short(Double(end.values.first ?? 0)))…\(short(Double(end.values.last ?? 0)))"
        return "\(last.time)  \(forecast.series)  \(short(Double(last.value)))  → \(range) by \(end.time)\n"
    }
}
