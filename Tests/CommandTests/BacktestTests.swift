import ControlInterface
import Foundation
import TestSupport
import Testing

@Suite("Backtests")
struct BacktestTests {
    private static let names = ["boiler", "pump", "valve"]
    private static let (rows, warm, horizon) = (640, 400, 6)

    private static let configuration = """
        [[series]]
        select = "*"
        cadence = "1m"
        lateness = "30m"

        [[forecaster]]
        name = "plant"
        method = "lstm"
        series = ["*"]
        horizon = 6
        quantiles = [0.05, 0.25, 0.5, 0.75, 0.95]
        opponents = ["holt-winters", "seasonal-naive"]
        warm_up = 64

        [forecaster.parameters.lstm]
        recipe = "plain"
        units = 8
        steps = 60
        batch = 8
        chunk = 16
        """

    /// The last origin: a horizon of rows is left after it.
    private static let last = warm - 1 + (rows - horizon - warm) / 10 * 10

    /// The last origin is now, so that a live forecast from it is not stale.
    private let start = Int(Date().timeIntervalSince1970) / 60 * 60 - Self.last * 60

    /// Where the last series has no value: hours without, single ones, one across the end of what is trained on; the
    /// first origin of a backtest lies in it.
    private static let gaps = [30..<31, 120..<168, 250..<252, 396..<404, 455..<456, 470..<519, 560..<563]

    /// nil where a sensor was silent.
    private func value(_ series: Int, _ row: Int) -> Double? {
        if series == Self.names.count - 1, Self.gaps.contains(where: { $0.contains(row) }) { return nil }
        let wave = abs((row + 7 * series) % 40 - 20)
        return Double(wave) + Double((row * 7_919 + series * 104_729) % 100) / 25
    }

    private func csv(_ rows: Range<Int>, scrambledAfter: Int = .max) -> String {
        var text = "series,timestamp,value\n"
        for (place, name) in Self.names.enumerated() {
            for row in rows {
                let time = Date(timeIntervalSince1970: Double(start + row * 60)).formatted(.iso8601)
                let value = value(place, row).map { row > scrambledAfter ? 1e6 : $0 }
                text += "\(name),\(time.dropLast()),\(value.map { "\($0)" } ?? "")\n"
            }
        }
        return text
    }

    private func lines(_ rows: [Int]) -> String {
        rows.map { row in
            Self.names.enumerated().compactMap { place, name in
                value(place, row).map { "\(name) value=\($0) \((start + row * 60) * 1_000_000_000)\n" }
            }.joined()
        }.joined()
    }

    /// The forecasts of a backtest: by series and origin, `[horizon][quantiles]`.
    private func backtest(_ folder: TemporaryFolder, _ data: String) throws -> [String: [Float]] {
        let config = try folder.write(Self.configuration, to: "nilod.toml")
        let file = try folder.write(data, to: "data.csv")
        let process = try ChildProcess(
            "nilod",
            [
                "backtest", "--config", config, "--forecaster", "plant", "--data", file, "--warm", "\(Self.warm)",
                "--stride", "10", "--horizon", "\(Self.horizon)", "--out", folder.path("out.csv"),
            ])
        #expect(process.wait() == 0, "\(process.standardError)")
        let table = process.standardOutput
        #expect(table.contains("relMASE") && table.contains("ALL"), "\(table)")
        var found: [String: [Float]] = [:]
        for line in try String(contentsOfFile: folder.path("out.csv"), encoding: .utf8).split(separator: "\n")
            .dropFirst()
        {
            let columns = line.split(separator: ",")
            found["\(columns[0]) \(columns[1])", default: []] += columns.dropFirst(3).compactMap { Float($0) }
        }
        return found
    }

    @Test("a live daemon fed out of order through its socket forecasts what the backtest did, bit for bit")
    func live() throws {
        let folder = try TemporaryFolder()
        let expected = try backtest(folder, csv(0..<Self.rows))
        let live = try TemporaryFolder()
        let daemon = try Daemon(in: live, Self.configuration)
        defer { daemon.kill() }
        func ingest(_ rows: [Int]) throws {
            let reply: Control.Ingest.Reply = try daemon.call("Ingest", Control.Ingest.Request(text: lines(rows)))
            #expect(reply.accepted == lines(rows).count { $0 == "\n" } && reply.late == 0)
        }
        try ingest(Array(0..<Self.warm))
        var outcome = ""
        let question = Control.Retrain.Request(forecaster: "plant")
        try daemon.connect().stream(Control.qualified("Retrain"), question, as: Control.Retrain.Reply.self) {
            outcome = $0.text
            return true
        }
        #expect(outcome.contains("version 3 serves") && !outcome.contains("serves 0"), "\(outcome)")
        var order = Array(Self.warm...Self.last)
        for place in stride(from: 0, to: order.count - 9, by: 9) { order[place..<place + 9].reverse() }
        for place in stride(from: 0, to: order.count, by: 23) {
            try ingest(Array(order[place..<min(place + 23, order.count)]))
        }
        for name in Self.names {
            let reply: Control.GetForecast.Reply = try daemon.call(
                "GetForecast", Control.GetForecast.Request(series: "\(name) value"))
            let values = reply.forecast.leads.flatMap(\.values)
            #expect(values.map(\.bitPattern) == expected["\(name) \(Self.last)"]?.map(\.bitPattern), "\(name)")
        }
    }

    @Test("what comes after an origin changes nothing before it")
    func noLookAhead() throws {
        let folder = try TemporaryFolder()
        let whole = try backtest(folder, csv(0..<Self.rows))
        let scrambled = try backtest(folder, csv(0..<Self.rows, scrambledAfter: 500))
        let origins = whole.keys.filter { Int($0.split(separator: " ")[1]) ?? 0 <= 500 }
        #expect(origins.count == 3 * 11)
        for origin in origins {
            #expect(whole[origin]?.map(\.bitPattern) == scrambled[origin]?.map(\.bitPattern), "\(origin)")
        }
        #expect(whole != scrambled)
    }

    @Test("the table tells what each expert of a mix would have been worth alone")
    func experts() throws {
        let folder = try TemporaryFolder()
        let config = try folder.write(
            """
            [[forecaster]]
            name = "both"
            method = "mix"
            horizon = 6

            [forecaster.parameters.mix]
            members = ["seasonal-naive", "holt-winters"]
            "seasonal-naive.season" = 40
            "holt-winters.season" = 40
            """, to: "nilod.toml")
        let file = try folder.write(csv(0..<Self.rows), to: "data.csv")
        let process = try ChildProcess(
            "nilod",
            [
                "backtest", "--config", config, "--forecaster", "both", "--data", file, "--warm", "\(Self.warm)",
                "--horizon", "6", "--season", "40",
            ])
        try #require(process.wait() == 0, "\(process.standardError)")
        let rows = process.standardOutput.split(separator: "\n").map { $0.split(separator: " ") }
        try #require(rows.count >= 5 && rows[1...4].allSatisfy { $0.count == rows[0].count })
        #expect(rows[0].suffix(2) == ["seasonal-naive", "holt-winters"])
        // A mix is a mean of its experts, so its loss is near theirs; neither alone is the reference.
        for row in rows[1...4] {
            let (all, naive, smooth) = (Double(row[4]) ?? 0, Double(row[7]) ?? 0, Double(row[8]) ?? 0)
            #expect(naive > 0 && smooth > 0 && naive != smooth && all < 1.2 * max(naive, smooth), "\(row)")
        }
    }

    @Test("every format that niloctl exports is read, and gives the same forecasts")
    func exports() throws {
        let live = try TemporaryFolder()
        let daemon = try Daemon(in: live, "[[series]]\nselect = \"*\"\ncadence = \"1m\"\n")
        defer { daemon.kill() }
        let text = (0..<300).map { row in
            "room,id=9 t=\(row % 40) \((start + row * 60) * 1_000_000_000)\nyard t=\(row % 7) \((start + row * 60) * 1_000_000_000)\n"
        }.joined()
        #expect(try Niloctl(daemon.socket, "ingest", live.write(text, to: "all.lp")).code == 0)
        let config = try live.write("[[forecaster]]\nname = \"n\"\nmethod = \"seasonal-naive\"\n", to: "n.toml")
        var results: [String] = []
        for format in ["csv", "line", "json"] {
            let exported = try Niloctl(daemon.socket, "export", "*", "--format", format)
            #expect(exported.code == 0)
            let file = try live.write(exported.output, to: "export.\(format)")
            let process = try ChildProcess(
                "nilod",
                [
                    "backtest", "--config", config, "--forecaster", "n", "--data", file, "--warm", "200", "--horizon",
                    "4",
                    "--season", "40", "--out", live.path("out"),
                ])
            #expect(process.wait() == 0, "\(process.standardError)")
            results.append(try String(contentsOfFile: live.path("out"), encoding: .utf8))
        }
        #expect(results[0].contains("\"room,id=9 t\",") && results[0].split(separator: "\n").count > 150)
        #expect(results[1] == results[0] && results[2] == results[0])
        #expect(daemon.stop() == 0)
    }

    @Test("a file or a plan that cannot be used says which line and what would be right")
    func refusals() throws {
        let folder = try TemporaryFolder()
        let config = try folder.write(Self.configuration, to: "nilod.toml")
        func run(_ data: String, _ more: [String], forecaster: String = "plant") throws -> (Int32, String) {
            let file = try folder.write(data, to: "bad.csv")
            let process = try ChildProcess(
                "nilod", ["backtest", "--config", config, "--forecaster", forecaster, "--data", file] + more)
            return (process.wait(), process.standardError)
        }
        let head = "timestamp,value\n"
        let cases: [(String, [String], String)] = [
            ("time,v\n", ["--warm", "1"], "line 1"), (head + "yesterday,3\n", ["--warm", "1"], "line 2"),
            (head + "2026-01-01,three\n", ["--warm", "1"], "line 2"),
            (head + "2026-01-02,3\n2026-01-01,4\n", ["--warm", "1"], "line 3"),
            (head + "2026-01-01,3\n", ["--warm", "50"], "--warm"),
            (head + "2026-01-01T25:00,3\n", ["--warm", "1"], "line 2"),
            ("series,timestamp,value\n\"a,1,2\n", ["--warm", "1"], "line 2: expected a quote"),
            ("room t=1\nroom t=2\n", ["--warm", "1"], "line 1: expected a timestamp"),
            ("{\"timestamp\":1,\"value\":\"x\"}\n", ["--warm", "1"], "line 1: expected {"),
            (head + "2026-01-01,3\n2026-01-02,4\n", ["--warm", "1", "--horizon", "1000000000"], "nothing to forecast"),
            (
                head + "2026-01-01,3\n2026-01-02,4\n2026-01-03,4\n",
                ["--warm", "1", "--horizon", "1", "--season", "0"], "season"
            ),
        ]
        for (data, more, expected) in cases {
            let (code, text) = try run(data, more)
            #expect(code == 65 && text.contains(expected), "\(code) \(text)")
        }
        let missing = try ChildProcess(
            "nilod", ["backtest", "--config", config, "--forecaster", "plant", "--data", "/none.csv", "--warm", "1"])
        #expect(missing.wait() == 66 && missing.standardError.contains("cannot read /none.csv: No such file"))
        let (code, text) = try run(head, ["--warm", "1"], forecaster: "plannt")
        #expect(code == 65 && text.contains("plant"), "\(text)")
    }
}
