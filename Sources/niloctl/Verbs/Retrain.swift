import ArgumentParser
import ControlInterface
import TimeSeries

struct Retrain: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Train a forecaster now.")
    @OptionGroup var common: CommonOptions
    @Argument(help: "The forecaster.", completion: .custom(Names.forecasters)) var name: String
    @Flag(help: "Wait until it ends and show the progress.") var wait = false

    func run() throws {
        var failed = false
        try common.connected { client in
            let question = Control.Retrain.Request(forecaster: name)
            guard wait else {
                let reply = try client.call(Control.qualified("Retrain"), question, as: Control.Retrain.Reply.self)
                return try common.show(reply) { "\($0.text)\n" }
            }
            try client.stream(Control.qualified("Retrain"), question, as: Control.Retrain.Reply.self) { reply in
                failed = reply.phase == "failed"
                let isLast = failed || reply.phase == "finished"
                if common.json {
                    try common.show(reply) { _ in "" }
                } else if isLast {
                    if Output.isTerminal { Output.draw("\r\u{1B}[K") }
                    Output.print(reply.text + "\n")
                } else if Output.isTerminal {
                    Output.draw("\r\u{1B}[K" + Self.bar(reply).visibleLine)
                }
                return true
            }
        }
        if failed { throw ExitCode(75) }
    }

    private static func bar(_ reply: Control.Retrain.Reply) -> String {
        guard reply.total > 0 else { return reply.text }
        let filled = Int(40 * min(1, max(0, Double(reply.done) / Double(reply.total))))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 40 - filled)
        return "\(bar) \(reply.text)\(reply.loss.map { ", loss \(short($0, digits: 3))" } ?? "")"
    }
}
