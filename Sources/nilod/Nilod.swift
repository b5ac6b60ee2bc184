import ArgumentParser
import Basics
import Invocation

/// `nilod`: the composition root of the daemon. Configuration, services, signals, systemd.
@main
struct Nilod: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nilod",
        abstract: "A daemon that forecasts time series with stateful LSTMs.",
        version: ProgramVersion.current,
        subcommands: [
            Run.self, CheckConfig.self, Train.self, Launch.self, PluginCommand.self, CheckPlugin.self,
            BacktestCommand.self, SelfTestCommand.self, SalvageCommand.self, RestoreCommand.self, ReferenceCommand.self,
        ],
        defaultSubcommand: Run.self)

    static func main() async {
        let arguments = Invocation.arguments
        let commands = configuration.subcommands.map { $0._commandName }
        if let text = Invocation.complaint(
            about: arguments, program: "nilod", word: "command", verbs: commands, usual: "run")
        {
            exit(withError: Exit.say(text, 64))
        }
        await main(arguments)
    }
}
