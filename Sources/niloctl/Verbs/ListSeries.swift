import ArgumentParser
import ControlInterface

struct ListSeries: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "series", abstract: "List the series.")
    @OptionGroup var common: CommonOptions
    @Argument(help: "A pattern such as 'room,*'.", completion: .custom(Names.series)) var selector: String?

    func run() throws {
        try common.connected { client in
            let question = Control.ListSeries.Request(selector: selector)
            let reply = try client.call(Control.qualified("ListSeries"), question, as: Control.ListSeries.Reply.self)
            try common.show(reply) { reply in
                if reply.series.isEmpty { return "no series\n" }
                return Table(
                    ["SERIES", "CADENCE", "NEWEST", "VALUE", "MODEL"],
                    reply.series.map { series in
                        [
                            series.name, series.cadenceSeconds.map { "\(short($0))s" } ?? "-", series.newest ?? "-",
                            series.newestValue.map { short($0) } ?? "-",
                            series.method.map { "\($0) v\(series.modelVersion ?? 0)" } ?? "-",
                        ]
                    }
                ).text
            }
        }
    }
}
