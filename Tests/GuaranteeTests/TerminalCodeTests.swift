import ControlInterface
import Foundation
import Storage
import TestSupport
import Testing
import TimeSeries
import Varlink

@Suite("Promise: no text from outside acts on a terminal", .serialized, .timeLimit(.minutes(10)))
struct TerminalCodeTests {
    private let folder: TemporaryFolder
    private static let codes = "\u{1B}]0;pwn\u{7}\u{1B}[31m\u{9B}32m\u{202E}\u{2066}\u{2028}\u{85}\u{7F}\r\u{8}"

    init() throws { folder = try TemporaryFolder() }

    private func expectVisible(_ text: String, _ what: String) {
        let found = text.unicodeScalars.filter { $0.isUnprintable && $0 != "\n" && $0 != "\t" }
        #expect(found.isEmpty, "\(what) shows \(Set(found.map(\.codePoint)).sorted())")
    }

    @Test("names of series from before are shown escaped, new ones are refused, and the log stays one line a message")
    func daemon() throws {
        try folder.writeFaultyPlugin("codes", call: 3)
        let configuration = """
            \(folder.pluginPath)
            [[series]]
            select = "*"
            cadence = "10s"
            [[source]]
            kind = "unix"
            path = "\(folder.path("lines"))"
            [[forecaster]]
            name = "faulty"
            method = "faulty"
            series = ["*"]
            horizon = 4
            """
        try FileManager.default.createDirectory(atPath: folder.path("state"), withIntermediateDirectories: true)
        let store = try Store(path: folder.path("state/nilo.db"))
        let old = SeriesKey(measurement: "old\u{9B}31m\u{202E}", field: "t")
        _ = try store.write {
            try $0.insertSeries(key: old, aggregate: .mean, forecaster: "faulty", createdAt: .from(seconds: 1))
        }
        try store.close()
        let daemon = try Daemon(in: folder, configuration)
        let text = (0..<20).map { "\(old)=\($0) \((1_750_000_000 + $0 * 10) * 1_000_000_000)\n" }.joined()
        let taken: Control.Ingest.Reply = try daemon.call("Ingest", Control.Ingest.Request(text: text))
        #expect(taken.accepted == 20)
        let refused: Control.Ingest.Reply = try daemon.call(
            "Ingest", Control.Ingest.Request(text: "new\u{202E} t=1\nnew,id=\u{9B} t=1\nm\u{1B}[31m t=1\nm t=\u{1B}x\n")
        )
        #expect(refused.accepted == 0 && refused.refused == 4)
        #expect(refused.problems.first?.reason.contains("U+202E") == true)
        let lines = try RawPeer(folder.path("lines"))
        lines.send("new\u{202E} t=1\nm\u{1B}[31m t=1\n")
        lines.finish()
        let answer = lines.text()
        #expect(answer.contains("U+202E"))
        expectVisible(answer, "the line source")
        for arguments in [
            ["series"], ["series", "--json"], ["scores"], ["scores", "--json"], ["export", "*"], ["forecast", "old*"],
            ["export", "*", "--format", "json"], ["export", "*", "--format", "line"], ["explain", "old*"],
            ["forecast", "old*", "--plot"], ["forecast", Self.codes], ["models", Self.codes],
            ["promote", "x", Self.codes],
            [Self.codes], ["forecast", "old*", "--json"], ["forget", Self.codes, "--yes"], ["plugins"],
            ["state", "old*"],
        ] {
            let child = try ChildProcess("niloctl", arguments + ["--socket", daemon.socket])
            child.wait()
            expectVisible(child.standardOutput + child.standardError, "niloctl \(arguments[0])")
        }
        try wait(until: "the plugin's words are in the log") { daemon.process.standardError.contains("forged") }
        #expect(daemon.stop() == 0)
        let log = daemon.process.standardError
        expectVisible(log, "the log")
        #expect(log.contains("\\u001b]0;pwn\\u0007") || log.contains("]0;pwn"))
        #expect(log.contains("\\u009b31m \\u202etxt\\u2066"))
    }

    /// Whatever is asked, it answers with terminal codes in every text, raw as JSON allows it.
    private func hostile(_ path: String) throws -> VarlinkService {
        let text = Self.codes
        func method(_ reply: some Encodable & Sendable) -> @Sendable (VarlinkCall) async throws -> Void {
            { try await $0.reply(reply) }
        }
        let series = Series(
            name: text, forecaster: text, method: text, newest: text, readings: 1, corrected: 0, repeated: 0, late: 0)
        let forecast = Forecast(
            series: text, forecaster: text, method: text, modelVersion: 1, origin: text, cadenceSeconds: 1,
            quantiles: [0.1, 0.5, 0.9], leads: [Lead(lead: 1, time: text, values: [1e38, -1e38, 3])], stale: false,
            history: [Point(time: text, value: 1)])
        let plugin = Plugin(
            name: text, version: text, folder: text, state: text, models: 1, calls: 1, absent: 0, restarts: 0,
            lastError: text)
        let training = Control.Retrain.Reply(phase: "training", done: .max, total: 1, text: text, promoted: 0)
        let finished = Control.Retrain.Reply(phase: "finished", done: 1, total: 1, text: text, promoted: 0)
        let interface = try VarlinkInterface(
            Control.description,
            methods: [
                "ListSeries": method(Control.ListSeries.Reply(series: [series])),
                "GetForecast": method(Control.GetForecast.Reply(forecast: forecast)),
                "Examine": method(Control.Examine.Reply(findings: [text], chunks: 1, chunkBytes: 1, remarks: [])),
                "ListPlugins": method(Control.ListPlugins.Reply(plugins: [plugin])),
                "Forget": method(Control.Forget.Reply(removed: [text])),
                "Reload": { _ in throw ControlError.refused(text: text).varlink },
                "Retrain": { call in
                    try await call.reply(training, continues: true)
                    try await call.reply(finished)
                },
            ])
        return try VarlinkService(
            info: ServiceInfo(vendor: "v", product: "p", version: "1", url: "u"), interfaces: [interface])
    }

    @Test("whatever a daemon answers, niloctl shows nothing that acts on a terminal, and does not fall over")
    func answers() async throws {
        let path = folder.path("evil")
        let service = try hostile(path)
        let (ready, isReady) = AsyncStream.makeStream(of: Void.self)
        let serving = Task { try await service.run(.path(path)) { isReady.finish() } }
        for await _ in ready {}
        for arguments in [
            ["series"], ["series", "--json"], ["forecast", "x"], ["forecast", "x", "--plot"],
            ["forecast", "x", "--json"],
            ["doctor"], ["plugins"], ["forget", "x", "--yes"], ["reload"], ["retrain", "x", "--wait"],
        ] {
            let child = try ChildProcess("niloctl", arguments + ["--socket", path])
            let code = child.wait()
            #expect([0, 65].contains(code), "\(arguments): \(code)")
            expectVisible(child.standardOutput + child.standardError, "niloctl \(arguments[0])")
            #expect((child.standardOutput + child.standardError).contains("pwn"), "\(arguments)")
        }
        serving.cancel()
    }
}
