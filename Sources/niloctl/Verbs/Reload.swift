import ArgumentParser
import ControlInterface
import Glibc

struct Reload: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Read the configuration again.")
    @OptionGroup var common: CommonOptions

    func run() throws {
        try common.connected { client in
            let reply = try client.call(Control.qualified("Reload"), as: Control.Reload.Reply.self)
            try common.show(reply) { "\($0.text)\n" }
        }
    }
}

struct Forget: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Remove series with all their readings.")
    @OptionGroup var common: CommonOptions
    @Argument(help: "The series or a pattern.", completion: .custom(Names.series)) var selector: String
    @Flag(help: "Do not ask for confirmation.") var yes = false

    func run() throws {
        try common.connected { client in
            if !yes {
                let question = Control.ListSeries.Request(selector: selector)
                let found = try client.call(
                    Control.qualified("ListSeries"), question, as: Control.ListSeries.Reply.self)
                let count = found.series.count
                guard isatty(0) == 1 else { throw Exit.say("this removes \(count) series; pass --yes", 64) }
                Output.complain("Remove \(count) series with all their readings? [y/N] ")
                guard readLine()?.lowercased().hasPrefix("y") ?? false else { throw ExitCode(1) }
            }
            let reply = try client.call(
                Control.qualified("Forget"), Control.Forget.Request(selector: selector), as: Control.Forget.Reply.self)
            try common.show(reply) { reply in reply.removed.map { "removed \($0)\n" }.joined() }
        }
    }
}
