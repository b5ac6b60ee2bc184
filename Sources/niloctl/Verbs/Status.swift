import ArgumentParser
import Basics
import ControlInterface

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show the state of the daemon.")
    @OptionGroup var common: CommonOptions

    func run() throws {
        try common.connected { client in
            let reply = try client.call(Control.qualified("GetStatus"), as: Control.GetStatus.Reply.self)
            try common.show(reply) { status in
                let refused = status.refused.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
                let rows =
                    [
                        [
                            "nilod",
                            "\(status.version), process \(status.pid), up \(short(status.uptimeSeconds, digits: 3)) s",
                        ],
                        ["database", "\(status.database), \(short(Double(status.databaseBytes) / 1e6, digits: 3)) MB"],
                        ["journal", "\(status.journalReadings) readings"],
                        ["series", "\(status.series), \(status.expiredSeries) forgotten as silent"],
                        [
                            "ingest",
                            "\(status.accepted) accepted, \(status.late) of them late, backlog \(status.backlog)",
                        ],
                        ["refused", refused.isEmpty ? "none" : refused.joined(separator: ", ")],
                        ["training", status.training ?? "idle"],
                        ["watchers", "\(status.watchers)"],
                        ["kernels", status.kernels],
                        ["coverage", Self.coverage(status.coverage)],
                    ] + status.sinks.map { ["sink", "\($0.name), \($0.written) written, \($0.dropped) dropped"] }
                let unusable = status.unusableForecasts.sorted { $0.key < $1.key }.map { "\($0.value) of \($0.key)" }
                let alarms = [
                    unusable.isEmpty
                        ? ""
                        : "NO FINITE NUMBERS: \(unusable.joined(separator: ", ")) forecasts were left out; see the log\n",
                    status.storageFull ? "THE DISK IS FULL: readings are refused\n" : "",
                    status.clockSet ? "" : "THE CLOCK IS NOT SET: readings without a timestamp are refused\n",
                ]
                return rows.map { "\($0[0])\(String(repeating: " ", count: 10 - $0[0].count))\($0[1])\n" }.joined()
                    + alarms.joined()
            }
        }
    }
}

extension Status {
    /// The share of true values inside the outermost interval, at the first, the middle and the last lead.
    private static func coverage(_ forecasters: [ForecasterCoverage]) -> String {
        let texts = forecasters.map { forecaster in
            let leads = forecaster.coverage.filter { $0.truths > 0 }
            let shown = leads.isEmpty ? [] : [leads[0], leads[leads.count / 2], leads[leads.count - 1]]
            let parts = shown.map { lead in
                "\(short(100 * Double(lead.outer) / Double(lead.truths), digits: 3)) % at lead \(lead.lead)"
            }
            return "\(forecaster.forecaster) \(parts.isEmpty ? "not scored yet" : parts.joined(separator: ", "))"
        }
        return texts.isEmpty ? "not scored yet" : texts.joined(separator: "; ")
    }
}

struct ShowVersion: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the versions of both programs.")
    @OptionGroup var common: CommonOptions

    func run() throws {
        let own = ProgramVersion.current
        try common.connected { client in
            let reply = try client.call(Control.qualified("GetStatus"), as: Control.GetStatus.Reply.self)
            try common.show(["niloctl": own, "nilod": reply.version]) {
                "niloctl \($0["niloctl"] ?? "")\nnilod   \($0["nilod"] ?? "")\n"
            }
        }
    }
}
