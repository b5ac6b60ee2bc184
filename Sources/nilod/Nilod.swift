import ArgumentParser

/// `nilod`: the composition root of the daemon. Configuration, services, signals, systemd.
@main
struct Nilod: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nilod",
        abstract: "A daemon that forecasts time series with stateful LSTMs.",
        version: Version.current,
        subcommands: [
            Run.self, CheckConfig.self, Train.self, Launch.self, PluginCommand.self, CheckPlugin.self,
            BacktestCommand.self, SelfTestCommand.self, SalvageCommand.self,
        ],
        defaultSubcommand: Run.self)
}

enum Version {
    static let current = "0.1.0"
}
