import ArgumentParser
import ControlInterface

struct Forecasters: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the configured forecasters.")
    @OptionGroup var common: CommonOptions

    func run() throws {
        try common.connected { client in
            let reply = try client.call(Control.qualified("ListForecasters"), as: Control.ListForecasters.Reply.self)
            try common.show(reply) { reply in
                Table(
                    ["FORECASTER", "METHOD", "SERIES", "HORIZON", "RETRAIN", "NEXT", "LAST"],
                    reply.forecasters.map { one in
                        [
                            one.name, one.method, "\(one.series)", "\(one.horizon)", one.retrain, one.nextDue ?? "-",
                            one.lastOutcome ?? "-",
                        ]
                    }
                ).text
            }
        }
    }
}
