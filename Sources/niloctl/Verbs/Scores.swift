import ArgumentParser
import ControlInterface
import Varlink

struct Scores: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show how accurate the forecasts were.",
        discussion: """
            PINBALL and MASE are in units of the series' mean absolute step: less is better. The coverages say how many
            truths lay inside the intervals; their headings say how many should have. One series shows every lead.

            Scores are kept by blocks of at most a day and at most 96 slots; with --start and --end, a block counts where
            its last slot lies.

            Examples:
              niloctl scores
              niloctl scores 'room,id=1 t' --start 7d
            """)
    @OptionGroup var common: CommonOptions
    @Argument(help: "A series or a pattern; all if there is none.") var selector: String?
    @Option(help: "Not before this time: \(TimeOption.help)") var start: TimeOption?
    @Option(help: "Not after this time.") var end: TimeOption?

    func run() throws {
        try common.connected { client in
            let question = Control.GetScores.Request(selector: selector, start: start?.text, end: end?.text)
            let reply = try client.call(Control.qualified("GetScores"), question, as: Control.GetScores.Reply.self)
            try common.show(reply) { reply in
                if reply.series.isEmpty { return "no series has scores there\n" }
                return reply.series.count == 1 ? Self.one(reply.series[0]) : Self.many(reply.series)
            }
        }
    }

    private static func many(_ series: [SeriesScores]) -> String {
        let rows = series.map { series -> [String] in
            let (first, last) = (series.scores.first, series.scores.last)
            let outer = share(series.coverage, \.outer)
            return [
                series.series, series.forecaster, "\(first?.truths ?? 0)", text(first?.mase), text(first?.pinball),
                text(last?.mase), text(last?.pinball), outer, series.drift.map { short($0, digits: 3) } ?? "-",
            ]
        }
        return Table(
            ["SERIES", "FORECASTER", "SLOTS", "MASE 1", "PINBALL 1", "MASE H", "PINBALL H", "COVERAGE", "DRIFT"], rows
        ).text
    }

    private static func one(_ series: SeriesScores) -> String {
        let head =
            "\(series.series)   \(series.forecaster): \(series.method), version \(series.modelVersion)\n"
        let scores = Table(
            ["LEAD", "TRUTHS", "MASE", "PINBALL"],
            series.scores.map { ["\($0.lead)", "\($0.truths)", text($0.mase), text($0.pinball)] })
        let isPaired = series.nominalInner < series.nominalOuter
        let nominal = [series.nominalOuter] + (isPaired ? [series.nominalInner] : [])
        let coverage = Table(
            ["LEAD", "TRUTHS"] + nominal.map { "INSIDE \(percent($0))" },
            series.coverage.filter { $0.truths > 0 }.map { lead in
                let inside = [lead.outer] + (isPaired ? [lead.inner] : [])
                return ["\(lead.lead)", "\(lead.truths)"] + inside.map { percent(Double($0) / Double(lead.truths)) }
            })
        return head + scores.text + "\n" + coverage.text + newest(series) + experts(series)
    }

    /// Fetches the experts of one series and prints them.
    static func printExperts(of name: String, _ client: VarlinkClient) throws {
        let question = Control.GetScores.Request(selector: name)
        let reply = try client.call(Control.qualified("GetScores"), question, as: Control.GetScores.Reply.self)
        for series in reply.series { Output.print(experts(series)) }
    }

    private static func newest(_ series: SeriesScores) -> String {
        series.tail.map { "\nThe newest value had a tail probability of \(short($0, digits: 2)).\n" } ?? ""
    }

    /// A table of the experts and their weights; empty if there is only one.
    private static func experts(_ series: SeriesScores) -> String {
        guard series.experts.count > 1 else { return "" }
        let rows = series.experts.sorted { $0.weight > $1.weight }.map {
            [$0.name, $0.weight < 1e-6 ? "0" : short($0.weight, digits: 3)]
        }
        return "\n" + Table(["EXPERT", "WEIGHT"], rows).text
    }

    private static func share(_ leads: [LeadCoverage], _ inside: KeyPath<LeadCoverage, Int>) -> String {
        let truths = leads.reduce(0) { $0 + $1.truths }
        return truths == 0 ? "-" : percent(Double(leads.reduce(0) { $0 + $1[keyPath: inside] }) / Double(truths))
    }

    private static func text(_ value: Double?) -> String { value.map { short($0, digits: 3) } ?? "-" }

    private static func percent(_ share: Double) -> String { "\(short(share * 100, digits: 3)) %" }
}
