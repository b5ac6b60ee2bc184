import ControlInterface
import Foundation
import TestSupport

/// The readings that the daemons of these tests are fed with, and what can be compared afterwards.
enum Load {
    static let names = ["0", "1", "2", "3"]

    /// A stateful LSTM that is trained when told to, and small enough to train in a moment.
    static let configuration = """
        commit_delay = "10ms"
        seal_after = 250

        [[series]]
        select = "*"
        cadence = "10m"
        lateness = "160m"

        [[forecaster]]
        name = "house"
        method = "lstm"
        series = ["*"]
        horizon = 6
        quantiles = [0.05, 0.5, 0.95]
        retrain = "never"
        opponents = ["holt-winters", "seasonal-naive"]
        warm_up = 48
        training_slots = 400

        [forecaster.parameters.lstm]
        recipe = "plain"
        units = 8
        steps = 40
        batch = 8
        """

    /// In seconds. Slot 780 is the present one, and a series falls silent after five: forecasts would then depend on the
    /// clock, and a soak takes its time.
    private static let cadence = 600
    private static let start = (Int(Date().timeIntervalSince1970) / cadence - 780) * cadence

    /// In nanoseconds.
    static func time(slot: Int) -> Int { (start + slot * cadence) * 1_000_000_000 }

    private static func value(_ series: Int, _ slot: Int) -> Double {
        let wave = abs((slot + 11 * series) % 48 - 24)
        return Double(wave) + Double((slot * 7_919 + series * 104_729) % 1_000) / 250
    }

    /// Lines of line protocol: every series once in each of `slots`.
    static func lines(_ slots: Range<Int>) -> String {
        slots.map { slot in
            names.indices.map { "room,id=\($0) t=\(value($0, slot)) \(time(slot: slot))\n" }.joined()
        }.joined()
    }

    /// Batches after `slots`, neighbours swapped so that readings also come out of order.
    static func batches(after start: Int, count: Int) -> [String] {
        (0..<count).map { batch in
            let first = start + batch * 3
            return lines(first + 1..<first + 3) + lines(first..<first + 1)
        }
    }

    /// Feeds the beginning, trains, and lets the trained model serve every series.
    static func prepare(_ daemon: Daemon, slots: Int) throws {
        let reply: Control.Ingest.Reply = try daemon.call("Ingest", Control.Ingest.Request(text: lines(0..<slots)))
        guard reply.refused == 0 else { throw TestError("\(reply.problems)") }
        var last: Control.Retrain.Reply?
        let question = Control.Retrain.Request(forecaster: "house")
        try daemon.connect().stream(Control.qualified("Retrain"), question, as: Control.Retrain.Reply.self) { event in
            last = event
            return true
        }
        guard let version = last?.version else { throw TestError("training failed: \(last?.text ?? "no reply")") }
        try promote(daemon, version)
    }

    static func promote(_ daemon: Daemon, _ version: Int) throws {
        let _: Control.Promote.Reply = try daemon.call(
            "Promote", Control.Promote.Request(forecaster: "house", version: version))
    }
}

/// What must be the same, to the bit, however often a daemon was killed on the way.
struct Remains: Equatable {
    var states: [String] = []
    var forecasts: [[Float]] = []
    /// By series and timestamp, the newest of each.
    var readings: [String: String] = [:]

    init(_ daemon: Daemon) throws {
        for name in Load.names {
            let question = Control.GetState.Request(series: "room,id=\(name) t")
            let state: Control.GetState.Reply = try daemon.call("GetState", question)
            states.append("\(state.method) \(state.modelVersion) slot \(state.slot) \(state.sha256)")
            let forecast: Control.GetForecast.Reply = try daemon.call("GetForecast", question)
            forecasts.append(forecast.forecast.leads.flatMap(\.values))
        }
        readings = try Self.readings(daemon)
    }

    static func readings(_ daemon: Daemon) throws -> [String: String] {
        var text = ""
        let question = Control.Export.Request(selector: "*", start: nil, end: nil, format: "line")
        try daemon.connect().stream(Control.qualified("Export"), question, as: Control.Export.Reply.self) { piece in
            text += piece.data
            return true
        }
        let rows = text.split(separator: "\n").map { line -> (String, String) in
            let words = line.split(separator: " ")
            let field = words.count > 1 ? words[1].split(separator: "=") : []
            return ("\(words.first ?? "") \(words.last ?? "")", "\(field.last ?? "")")
        }
        return Dictionary(rows, uniquingKeysWith: { _, new in new })
    }
}
