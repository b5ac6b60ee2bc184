import ArgumentParser
import ControlInterface
import Varlink

struct Watch: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Follow readings, forecasts and anomalies as they come.",
        discussion: "On a terminal a selector that matches one series is drawn live.")
    @OptionGroup var common: CommonOptions
    @Argument(help: "A pattern such as 'room,*'.", completion: .custom(Names.series)) var selector: String?
    @Option(help: "Stop after this many forecasts.") var count: Int?

    func run() throws {
        try common.connected { client in
            let found = try client.call(
                Control.qualified("ListSeries"), Control.ListSeries.Request(selector: selector),
                as: Control.ListSeries.Reply.self)
            let isDrawn = found.series.count == 1 && Output.isTerminal && !common.json
            var seen = 0
            var view = isDrawn ? LiveView(try VarlinkClient(path: common.path), isColoured: common.isColoured) : nil
            try client.stream(
                Control.qualified("Watch"), Control.Watch.Request(selector: selector), as: Control.Watch.Reply.self
            ) { reply in
                if let picture = try view?.picture(reply) {
                    Output.draw(picture)
                } else {
                    try common.show(reply, Self.line)
                }
                if reply.forecast != nil { seen += 1 }
                return count.map { seen < $0 } ?? true
            }
        }
    }

    private static func line(_ reply: Control.Watch.Reply) -> String {
        if let text = reply.model ?? reply.dropped { return "* \(text)\n" }
        if let anomaly = reply.anomaly { return line(anomaly) }
        guard let forecast = reply.forecast, let last = forecast.history.last, let end = forecast.leads.last else {
            return ""
        }
        let range = "\(short(Double(end.values.first ?? 0)))…\(short(Double(end.values.last ?? 0)))"
        return "\(last.time)  \(forecast.series)  \(short(Double(last.value)))  → \(range) by \(end.time)\n"
    }
}

extension Watch {
    private static func line(_ anomaly: Anomaly) -> String {
        let expected = "\(short(Double(anomaly.low)))…\(short(Double(anomaly.high)))"
        let held = anomaly.held > 0 ? ", \(anomaly.held) more before it" : ""
        return "! \(anomaly.time)  \(anomaly.series)  \(short(Double(anomaly.value))), expected \(expected)"
            + "  probability \(short(Double(anomaly.probability), digits: 2))\(held)\n"
    }
}

/// A plot that is redrawn in place, line by line, so that it does not flicker.
private struct LiveView {
    /// Used to fetch the history, which events do not have.
    private let client: VarlinkClient
    private let isColoured: Bool
    private var size: Terminal?

    init(_ client: VarlinkClient, isColoured: Bool) { (self.client, self.isColoured) = (client, isColoured) }

    /// The escape sequences and text of the plot; nil if the reply has no forecast.
    mutating func picture(_ reply: Control.Watch.Reply) throws -> String? {
        guard let series = reply.forecast?.series else { return nil }
        let question = Control.GetForecast.Request(series: series)
        let forecast = try client.call(Control.qualified("GetForecast"), question, as: Control.GetForecast.Reply.self)
            .forecast
        let terminal = Terminal.current
        // ECMA-48: erase the screen the first time and after the window was resized.
        let start = terminal == size ? "\u{1B}[H" : "\u{1B}[H\u{1B}[2J"
        size = terminal
        let text = Plot(forecast, in: terminal, isColoured: isColoured).text
        return start + text.replacing("\n", with: "\u{1B}[K\n") + "\u{1B}[J"
    }
}
