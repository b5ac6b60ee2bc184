import ArgumentParser
import ControlInterface
import Glibc

struct Expire: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Remove everything that is past its retention now.",
        discussion: """
            By itself the daemon removes a share a day of what has expired, so that neither a wrong clock nor a wrong number \
            in its configuration costs a history before somebody sees it. This removes all of it, and series that were \
            silent for longer than silent_series_ttl.
            """)
    @OptionGroup var common: CommonOptions
    @Flag(help: "Do not ask for confirmation.") var yes = false

    func run() throws {
        try common.connected { client in
            if !yes {
                guard isatty(0) == 1 else { throw Exit.say("this removes readings for good; pass --yes", 64) }
                Output.complain("Remove all readings that are past their retention? [y/N] ")
                guard readLine()?.lowercased().hasPrefix("y") ?? false else { throw ExitCode(1) }
            }
            let reply = try client.call(Control.qualified("Expire"), as: Control.Expire.Reply.self)
            try common.show(reply) { "what had expired on \($0.time) is being removed\n" }
        }
    }
}
