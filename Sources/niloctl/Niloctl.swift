import ArgumentParser

/// `niloctl`: the control command of a Nilometer daemon. One verb a file; speaks `org.nilometer.Control`.
@main
struct Niloctl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "niloctl",
        abstract: "Ask and direct a Nilometer daemon.",
        discussion: """
            Examples:
              niloctl status
              niloctl forecast 'room,id=1 t' --plot
              niloctl ingest readings.lp
              niloctl watch 'room,*'
            """,
        subcommands: [
            Status.self, ListSeries.self, Ingest.self, ShowForecast.self, Watch.self, Forecasters.self, Retrain.self,
            Models.self, Scores.self, Promote.self, Rollback.self, State.self, Reset.self, Export.self, Backup.self,
            Reload.self, Forget.self, Doctor.self, Plugins.self, PluginVerbs.self, ShowVersion.self,
        ])

    static func main() { main(Self.optionsLast(Array(CommandLine.arguments.dropFirst()))) }

    /// `niloctl --socket PATH status` is `niloctl status --socket PATH`: the options belong to every verb.
    static func optionsLast(_ arguments: [String]) -> [String] {
        var common: [String] = []
        var rest = arguments[...]
        while let first = rest.first, first == "--json" || first == "--socket" || first.hasPrefix("--socket=") {
            let width = first == "--socket" ? 2 : 1
            common += rest.prefix(width)
            rest = rest.dropFirst(width)
        }
        guard let verb = rest.first else { return arguments }
        return [verb] + common + rest.dropFirst()
    }
}
