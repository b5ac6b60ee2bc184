import ArgumentParser
import ControlInterface

struct ShowForecast: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forecast", abstract: "Show the newest forecast of a series.",
        discussion: "The series may be a pattern that matches one: niloctl forecast 'host*load1' --plot")
    @OptionGroup var common: CommonOptions
    @Argument(help: "The series, such as 'room,id=1 t'.", completion: .custom(Names.series)) var series: String
    @Flag(help: "Draw history, median and interval.") var plot = false
    @Flag(help: "Show which forecasts are mixed, and with what weights.") var explain = false

    func run() throws {
        try common.connected { client in
            let name = try client.resolve(series)
            let question = Control.GetForecast.Request(series: name, history: plot || common.json ? nil : 0)
            let reply = try client.call(Control.qualified("GetForecast"), question, as: Control.GetForecast.Reply.self)
            if plot, !common.json {
                Output.draw(Plot(reply.forecast, in: .current, isColoured: common.isColoured).text)
            } else {
                try common.show(reply) { Self.table($0.forecast) }
            }
            if explain, !common.json { try Scores.printExperts(of: name, client) }
        }
    }

    static func table(_ forecast: Forecast) -> String {
        let stale = forecast.stale ? "   (stale: no reading for five cadences)" : ""
        let head =
            "\(forecast.series)   \(forecast.forecaster): \(forecast.method), version \(forecast.modelVersion)\(stale)\n"
        let header = ["LEAD", "TIME"] + forecast.quantiles.map { "\($0)" }
        return head
            + Table(header, forecast.leads.map { ["\($0.lead)", $0.time] + $0.values.map { short(Double($0)) } }).text
    }
}
