import ControlInterface
import Foundation
import TestSupport
import Testing
import Varlink

@Suite("Promise: a number that is shown is a number", .serialized, .timeLimit(.minutes(10)))
struct UnusableForecastTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private var configuration: String {
        """
        \(folder.pluginPath)
        [[series]]
        select = "*"
        cadence = "10s"
        [[source]]
        kind = "http"
        path = "\(folder.path("http"))"
        [[sink]]
        kind = "file"
        path = "\(folder.path("events"))"
        [[forecaster]]
        name = "faulty"
        method = "faulty"
        series = ["bad,*"]
        horizon = 4
        anomaly = 1e-3
        [[forecaster]]
        name = "steady"
        method = "holt-winters"
        series = ["*"]
        horizon = 4
        """
    }

    private func send(_ daemon: Daemon, _ slots: Range<Int>) throws {
        for slot in slots {
            let time = (1_750_000_000 + slot * 10) * 1_000_000_000
            let text = "bad,id=1 t=\(slot % 7) \(time)\nroom,id=1 t=\(slot % 9 == 4 ? "2e30" : "\(slot % 5)") \(time)\n"
            let reply: Control.Ingest.Reply = try daemon.call("Ingest", Control.Ingest.Request(text: text))
            #expect(reply.accepted == 2)
            for name in ["bad,id=1 t", "room,id=1 t"] {
                let _: Control.GetState.Reply = try daemon.call("GetState", Control.GetState.Request(series: name))
            }
        }
    }

    /// The words that JSON and tables would have for numbers that are none.
    private func expectNumbers(_ text: String, _ what: String) {
        let words = text.lowercased().split { !$0.isLetter }
        #expect(words.allSatisfy { !["nan", "inf", "infinity"].contains($0) }, "\(what): \(text)")
    }

    @Test("what a plugin answers reaches nobody as a number that is none", arguments: ["nan", "infinity", "huge"])
    func plugin(_ fault: String) throws {
        try folder.writeFaultyPlugin(fault, call: 12)
        let daemon = try Daemon(in: folder, configuration)
        try send(daemon, 0..<40)
        do {
            let _: Control.GetForecast.Reply = try daemon.call(
                "GetForecast", Control.GetForecast.Request(series: "bad,id=1 t"))
            Issue.record("a forecast of \(fault)")
        } catch let error as VarlinkError {
            #expect(error.name == Control.qualified("Refused"))
            #expect(error.text("text")?.contains("not finite") == true)
        }
        let status: Control.GetStatus.Reply = try daemon.call("GetStatus")
        #expect(try #require(status.unusableForecasts["faulty"]) >= 25 && status.unusableForecasts.count == 1)
        for arguments in [
            ["status"], ["series"], ["scores"], ["scores", "bad,id=1 t"], ["explain", "bad,id=1 t"], ["plugins"],
            ["forecast", "room,id=1 t"], ["forecast", "room,id=1 t", "--plot"], ["state", "bad,id=1 t"],
            ["export", "*"],
            ["forecasters"], ["models", "faulty"],
        ] {
            for more in [[], ["--json"]] {
                let child = try ChildProcess("niloctl", arguments + more + ["--socket", daemon.socket])
                #expect(child.wait() == 0, "\(arguments): \(child.standardError)")
                expectNumbers(child.standardOutput, arguments.joined(separator: " "))
            }
        }
        let metrics = try RawPeer(folder.path("http"))
        metrics.send("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        let text = metrics.text()
        #expect(text.contains("nilometer_forecasts_unusable_total{forecaster=\"faulty\"} "))
        expectNumbers(text, "/metrics")
        #expect(daemon.stop() == 0)
        let events = try String(contentsOfFile: folder.path("events"), encoding: .utf8)
        expectNumbers(events, "the sink")
        #expect(events.contains("room,id=1 t") && events.contains("bad,id=1 t"))
        let log = daemon.process.standardError
        #expect(
            log.components(separatedBy: "version 1 of faulty (faulty) gave numbers that are no forecast").count == 2)
    }
}
