import ArgumentParser
import ControlInterface

struct Models: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the model versions of a forecaster and their scores on the holdout.",
        discussion:
            "PINBALL and MASE are means over series, in units of the last value's one-step error: less is better.")
    @OptionGroup var common: CommonOptions
    @Argument(help: "The forecaster.", completion: .custom(Names.forecasters)) var name: String
    @Flag(help: "Show the newest training runs and model changes instead, oldest first.") var history = false
    @Option(help: "How many events of the history, up to 1000.") var limit = 100

    func run() throws {
        try common.connected { client in
            guard !history else {
                let reply = try client.call(
                    Control.qualified("ListModelEvents"),
                    Control.ListModelEvents.Request(forecaster: name, limit: limit),
                    as: Control.ListModelEvents.Reply.self)
                return try common.show(reply) { Self.text($0.events) }
            }
            let reply = try client.call(
                Control.qualified("ListModels"), Control.ListModels.Request(forecaster: name),
                as: Control.ListModels.Reply.self)
            try common.show(reply) { Self.text($0.models) }
        }
    }

    private static func text(_ events: [ModelEvent]) -> String {
        guard !events.isEmpty else { return "no training run and no model change yet\n" }
        return Table(
            ["TIME", "EVENT", "VERSION", "SERIES", ""],
            events.map { event in
                [event.at, event.kind, event.version.map { "\($0)" } ?? "-", "\(event.series)", event.text]
            }
        ).text
    }

    private static func text(_ models: [Model]) -> String {
        let versions = Table(
            ["VERSION", "METHOD", "CREATED", "SERVES", "BYTES", ""],
            models.map { model in
                [
                    "\(model.version)", model.method, model.created, "\(model.serves)", "\(model.bytes)",
                    model.champion ? "champion" : "",
                ]
            }
        ).text
        guard let scored = models.last(where: { !$0.holdout.isEmpty }) else { return versions }
        let scores = Table(
            ["CONTENDER", "PINBALL", "MASE", "SERIES", "BEST ON"],
            scored.holdout.sorted { $0.pinball < $1.pinball }.map { score in
                [
                    score.contender, short(score.pinball, digits: 4), short(score.mase, digits: 4), "\(score.series)",
                    "\(score.wins)",
                ]
            }
        ).text
        return versions + "\nholdout of version \(scored.version):\n" + scores
    }
}
