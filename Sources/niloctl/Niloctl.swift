import ArgumentParser
import Glibc
import Invocation

/// `niloctl`: the command that controls a Nilometer daemon. One file per verb; speaks `org.nilometer.Control`.
@main
struct Niloctl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "niloctl",
        abstract: "Query and control a Nilometer daemon.",
        discussion: """
            Examples:
              niloctl status
              niloctl forecast 'room,id=1 t' --plot
              niloctl ingest readings.lp
              niloctl watch 'room,*'
            """,
        subcommands: [
            Status.self, ListSeries.self, Ingest.self, ShowForecast.self, Watch.self, Explain.self, Scores.self,
            Forecasters.self, Retrain.self, Models.self, Promote.self, Rollback.self, State.self, Reset.self,
            Export.self, Backup.self, Reload.self, Forget.self, Expire.self, Doctor.self, Plugins.self,
            PluginVerbs.self,
            Completions.self, ShowVersion.self,
        ])

    static func main() {
        let arguments = optionsLast(Invocation.arguments)
        let verbs = configuration.subcommands.map { $0._commandName }
        if let text = Invocation.complaint(
            about: arguments, program: "niloctl", word: "verb", verbs: verbs, usual: "status")
        {
            exit(withError: Exit.say(text, 64))
        }
        do {
            var command = try parseAsRoot(arguments)
            try command.run()
        } catch {
            // Messages of the argument parser contain the arguments, so they go through `Output` too.
            let text = fullMessage(for: error)
            let status = exitCode(for: error)
            if !text.isEmpty { (status.isSuccess ? Output.print : Output.complain)(text + "\n") }
            Glibc.exit(status.rawValue)
        }
    }

    /// `niloctl --socket PATH status` is `niloctl status --socket PATH`: the options belong to every verb.
    private static func optionsLast(_ arguments: [String]) -> [String] {
        var common: [String] = []
        var rest = arguments[...]
        while let first = rest.first, CommonOptions.isOne(first) {
            let width = first == "--socket" ? 2 : 1
            common += rest.prefix(width)
            rest = rest.dropFirst(width)
        }
        guard let verb = rest.first else { return arguments }
        return [verb] + common + rest.dropFirst()
    }
}
