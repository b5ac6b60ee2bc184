import ControlInterface
import Foundation
import Glibc
import TestSupport
import Testing
import Varlink

@Suite("Anomalies at the end of a sink", .serialized, .timeLimit(.minutes(10)))
struct AnomalySinkTests {
    private let folder: TemporaryFolder
    /// A slot's start for which now is slot 180, so that what is fed is news.
    private let start = Int(Date().timeIntervalSince1970) / 10 * 10 - 1_800

    init() throws { folder = try TemporaryFolder() }

    private func configuration(_ sinks: String) -> String {
        """
        [[series]]
        select = "*"
        cadence = "10s"
        [[forecaster]]
        name = "smooth"
        method = "holt-winters"
        horizon = 2
        anomaly = 1e-4
        anomaly_cooldown = "5m"
        \(sinks)
        """
    }

    private func line(_ slot: Int, _ value: Double? = nil, late second: Int = 0) -> String {
        let value = value ?? 20 + Double(slot * 7 % 5) / 10
        return "room,id=1 t=\(value) \((start + slot * 10 + second) * 1_000_000_000)\n"
    }

    private func send(_ daemon: Daemon, _ lines: [String]) throws {
        let reply: Control.Ingest.Reply = try daemon.call("Ingest", Control.Ingest.Request(text: lines.joined()))
        #expect(reply.refused == 0 && reply.late == 0)
        // Its shard has stepped.
        let _: Control.ListSeries.Reply = try daemon.call("ListSeries")
    }

    private func lines(_ path: String) -> [Substring] {
        ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: "\n")
    }

    private func anomalies(_ path: String) throws -> [Anomaly] {
        try lines(path).compactMap { try JSONDecoder().decode(Control.Watch.Reply.self, from: Data($0.utf8)).anomaly }
    }

    private func time(_ slot: Int) -> String {
        Date(timeIntervalSince1970: Double(start + slot * 10))
            .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    @Test("each anomaly reaches an exec sink and a file sink once, over late readings, kill -9 and starts")
    func once() throws {
        let paths = [folder.path("received"), folder.path("events")]
        let text = configuration(
            """
            [[sink]]
            kind = "exec"
            command = ["sh", "-c", "cat >> '\(paths[0])'"]
            events = ["anomaly"]
            [[sink]]
            kind = "file"
            path = "\(paths[1])"
            """)
        var daemon = try Daemon(in: folder, text)
        try send(daemon, (0..<100).map { line($0, $0 == 80 ? 35 : nil) })
        for path in paths { try wait(until: "an anomaly is told") { try !anomalies(path).isEmpty } }
        // Into the anomaly's slot, before it, and an outlier where there was none.
        for late in [line(80, 36, late: 3), line(78, 20.5, late: 3), line(90, 60, late: 3)] { try send(daemon, [late]) }
        daemon.kill()
        daemon = try Daemon(in: folder, text)
        // Slot 105 is within the cooldown; slot 120 is open when the daemon is killed again.
        try send(daemon, (100..<120).map { line($0, $0 == 105 ? 35 : nil) } + [line(120, 5)])
        daemon.kill()
        daemon = try Daemon(in: folder, text)
        try send(daemon, [line(121), line(122)])
        for path in paths { try wait(until: "two anomalies are told") { try anomalies(path).count >= 2 } }
        #expect(daemon.stop() == 0)
        for path in paths {
            let found = try anomalies(path)
            #expect(found.map(\.time) == [time(80), time(120)])
            #expect(found.map(\.value) == [35, 5])
            let first = try #require(found.first)
            #expect(first.series == "room,id=1 t" && first.forecaster == "smooth" && first.probability < 1e-4)
            #expect(first.low < first.median && first.median < first.high && first.high < 22 && first.interval == 0.9)
        }
        #expect(lines(paths[0]).count == 2, "a sink of anomalies gets nothing else")
        #expect(lines(paths[1]).count > 4)
    }

    @Test("niloctl watch shows them to people and as JSON")
    func watched() throws {
        let daemon = try Daemon(in: folder, configuration(""))
        let arguments = ["watch", "--count", "100", "--socket", daemon.socket]
        let watchers = try [arguments, arguments + ["--json"]].map { try ChildProcess("niloctl", $0) }
        try wait(until: "both watch") { try (daemon.call("GetStatus") as Control.GetStatus.Reply).watchers >= 2 }
        for slot in 0..<101 where !watchers.allSatisfy(\.hasEnded) {
            try send(daemon, [line(slot, slot == 80 ? 35 : nil)])
        }
        for watcher in watchers { #expect(watcher.wait() == 0) }
        let shown = watchers[0].standardOutput.split(separator: "\n").filter { $0.hasPrefix("!") }
        #expect(shown.count == 1)
        #expect(shown.first?.hasPrefix("! \(time(80))  room,id=1 t  35, expected 19.") == true, "\(shown)")
        let told = try watchers[1].standardOutput.split(separator: "\n").compactMap {
            try JSONDecoder().decode(Control.Watch.Reply.self, from: Data($0.utf8)).anomaly
        }
        #expect(told.map(\.time) == [time(80)])
        #expect(daemon.stop() == 0)
    }

    /// Takes posts, writes each body as a line, and refuses the first so many.
    private static let server = """
        import http.server, sys
        class Hook(http.server.BaseHTTPRequestHandler):
            left = int(sys.argv[2])
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if Hook.left > 0:
                    Hook.left -= 1
                    self.send_error(503)
                    return
                with open(sys.argv[1], "ab") as file:
                    file.write(body if body.endswith(b"\\n") else body + b"\\n")
                self.send_response(204)
                self.end_headers()
            def log_message(self, *arguments): pass
        server = http.server.HTTPServer(("127.0.0.1", 0), Hook)
        print("port", server.server_address[1], file=sys.stderr, flush=True)
        server.serve_forever()
        """

    @Test("the webhook posts each line as it is, and tries again when the server is busy")
    func webhook() throws {
        guard let python = try Tool.path("python3", package: "python3"),
            try Tool.path("curl", package: "curl") != nil
        else { return }
        let script = try folder.write(Self.server, to: "server.py")
        let posted = folder.path("posted")
        let server = try ChildProcess(python, [script, posted, "1"])
        defer { server.stop() }
        let port = try #require(try server.lines(with: "port").first?.split(separator: " ").last)
        let daemon = try Daemon(
            in: folder,
            configuration(
                """
                [[sink]]
                kind = "exec"
                name = "hook"
                command = ["\(root.path)/packaging/webhook.sh", "http://127.0.0.1:\(port)/events"]
                events = ["anomaly", "model"]
                """))
        try send(daemon, (0..<100).map { line($0, $0 == 80 ? 35 : nil) })
        let _: Control.Reset.Reply = try daemon.call("Reset", Control.Reset.Request(series: "room,id=1 t", warm: true))
        try wait(until: "two events are posted") { lines(posted).count >= 2 }
        #expect(daemon.stop() == 0)
        let events = try lines(posted).map { try JSONDecoder().decode(Control.Watch.Reply.self, from: Data($0.utf8)) }
        #expect(events.map { $0.anomaly?.time } == [time(80), nil])
        #expect(events.last?.model?.hasSuffix("reset, warm") == true)
    }
}
