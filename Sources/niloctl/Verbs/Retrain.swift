import ArgumentParser
import ControlInterface

struct Retrain: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Train a forecaster now.")
    @OptionGroup var common: CommonOptions
    @Argument(help: "The forecaster.", completion: .custom(Names.forecasters)) var name: String
    @Flag(help: "Wait for the end and show how far it is.") var wait = false

    func run() throws {
        var failed = false
        try common.connected { client in
            let question = Question.OfForecaster(forecaster: name)
            guard wait else {
                let reply = try client.call(Control.qualified("Retrain"), question, as: Reply.Retrain.self)
                return try common.show(reply) { "\($0.text)\n" }
            }
            try client.stream(Control.qualified("Retrain"), question, as: Reply.Retrain.self) { reply in
                failed = reply.phase == "failed"
                let isLast = failed || reply.phase == "finished"
                if common.json {
                    try common.show(reply) { _ in "" }
                } else if isLast {
                    Output.print((Output.isTerminal ? "\r\u{1B}[K" : "") + reply.text + "\n")
                } else if Output.isTerminal {
                    Output.print("\r\u{1B}[K" + Self.bar(reply))
                }
                return true
            }
        }
        if failed { throw ExitCode(75) }
    }

    private static func bar(_ reply: Reply.Retrain) -> String {
        guard reply.total > 0 else { return reply.text }
        let filled = 40 * reply.done / reply.total
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 40 - filled)
        return "\(bar) \(reply.text)\(reply.loss.map { ", loss \(short($0, digits: 3))" } ?? "")"
    }
}
