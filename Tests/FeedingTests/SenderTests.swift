import Feeding
import Foundation
import TestSupport
import Testing

/// Programs that others wrote feed a real daemon and read from it.
@Suite("Real senders", .serialized, .timeLimit(.minutes(10)))
struct SenderTests {
    /// nil, with the reason printed, when the software cannot be had here.
    private func software(_ get: () throws -> String) throws -> String? {
        do {
            return try get()
        } catch let missing as OutsideSoftware.Missing {
            skip("\(missing)")
            return nil
        }
    }

    private func get(_ path: String, _ port: Int) async throws -> String {
        try await exchange(
            .internet(host: "127.0.0.1", port: port), "GET \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    }

    /// Asks until the answer is as expected; the suite's time limit bounds it.
    private func ask(_ path: String, _ port: Int, until isExpected: (String) -> Bool) async throws -> String {
        while true {
            let answer = try await get(path, port)
            if isExpected(answer) { return answer }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private func port(of daemon: Daemon) throws -> Int {
        let line = try #require(try daemon.process.lines(with: "HTTP on").first)
        return try #require(line.split(separator: ":").last.flatMap { Int($0) })
    }

    private func metric(_ name: String, in answer: String) -> Double? {
        answer.split(separator: "\n").first { $0.hasPrefix(name + " ") }?.split(separator: " ").last.flatMap {
            Double($0.trimmingCharacters(in: .whitespacesAndNewlines))
        }
    }

    @Test("collectd's write_influxdb_udp feeds a UDP source in milliseconds")
    func collectd() async throws {
        guard let root = try software({ try OutsideSoftware.debian("collectd-core") }) else { return }
        let folder = try TemporaryFolder()
        let daemon = try Daemon(
            in: folder,
            """
            commit_delay = "100ms"
            [[source]]
            kind = "http"
            listen = "0"
            """ + "\n[[source]]\nkind = \"udp\"\nlisten = \"0\"\nprecision = \"ms\"\n")
        defer { daemon.process.stop() }
        var ports: [String: Int] = [:]
        for line in try daemon.process.lines(with: " on 127.0.0.1:", count: 2) {
            ports[line.contains("HTTP") ? "http" : "udp"] = line.split(separator: ":").last.flatMap { Int($0) }
        }
        let (http, udp) = (try #require(ports["http"]), try #require(ports["udp"]))
        let configuration = """
            FQDNLookup false
            Hostname "somewhere"
            Interval 0.1
            BaseDir "\(folder.url.path)"
            PIDFile "\(folder.url.path)/collectd.pid"
            PluginDir "\(root)/usr/lib/collectd"
            TypesDB "\(root)/usr/share/collectd/types.db"
            LoadPlugin load
            LoadPlugin write_influxdb_udp
            <Plugin write_influxdb_udp>
              Server "127.0.0.1" "\(udp)"
            </Plugin>

            """
        let file = folder.url.path + "/collectd.conf"
        try configuration.write(toFile: file, atomically: true, encoding: .utf8)
        let collectd = try ChildProcess(root + "/usr/sbin/collectd", ["-f", "-C", file])
        defer { collectd.stop() }
        let answer = try await ask("/metrics", http) {
            (metric("nilometer_readings_accepted_total", in: $0) ?? 0) >= 6
        }
        #expect(metric("nilometer_series", in: answer) == 3)
        #expect(metric("nilometer_lines_refused_total", in: answer) == 0)
        // Seconds or nanoseconds taken for milliseconds would be refused as too far ahead, or be late.
        #expect(metric("nilometer_readings_refused_total{reason=\"tooFarAhead\"}", in: answer) == 0)
        #expect(metric("nilometer_readings_late_total", in: answer) == 0)
    }

    @Test("PyPI's influxdb-client writes, gzipped too, and gets 400 with the line")
    func influxClient() async throws {
        guard let python = try software({ try OutsideSoftware.python("influxdb-client==1.50.0") }) else { return }
        let folder = try TemporaryFolder()
        let daemon = try Daemon(in: folder, "[[source]]\nkind = \"http\"\nlisten = \"0\"\n")
        defer { daemon.process.stop() }
        let port = try self.port(of: daemon)
        let script = """
            import sys
            from influxdb_client import InfluxDBClient, Point, WritePrecision
            from influxdb_client.client.write_api import SYNCHRONOUS
            from influxdb_client.rest import ApiException
            for gzip in (False, True):
                with InfluxDBClient("http://127.0.0.1:\(port)", token="t", org="o", enable_gzip=gzip) as client:
                    write = client.write_api(write_options=SYNCHRONOUS)
                    points = [Point("room").tag("id", f"a {i},b=c").field("t", i + 0.5).field("on", True).field("n", i)
                              .field("s", "text").time(1700000000 + i + 1000 * gzip, WritePrecision.S) for i in range(100)]
                    write.write("b", record=points, write_precision=WritePrecision.S)
                    try:
                        write.write("b", record="m f=1\\nm f=\\n")
                        sys.exit("was not refused")
                    except ApiException as e:
                        assert e.status == 400 and '"line":2' in e.body and "2:5" in e.message, (e.status, e.body, e.message)
            print("done")
            """
        let result = try ChildProcess.run("/usr/bin/timeout", ["60", python, "-c", script])
        #expect(result.output == "done\n")
        let metrics = try await get("/metrics", port)
        #expect(metric("nilometer_readings_accepted_total", in: metrics) == 602)
        #expect(metric("nilometer_series", in: metrics) == 301)
        #expect(metric("nilometer_text_fields_skipped_total", in: metrics) == 200)
        #expect(metric("nilometer_lines_refused_total", in: metrics) == 2)
    }

    @Test("Prometheus scrapes the metrics, and its own linter likes them")
    func prometheus() async throws {
        guard let root = try software({ try OutsideSoftware.debian("prometheus") }) else { return }
        let temporary = try TemporaryFolder()
        let daemon = try Daemon(in: temporary, "[[source]]\nkind = \"http\"\nlisten = \"0\"\n")
        defer { daemon.process.stop() }
        let port = try self.port(of: daemon)
        _ = try await exchange(
            .internet(host: "127.0.0.1", port: port),
            "POST /write HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 9\r\n\r\nm f=1,g=2")
        let folder = temporary.url.path
        let metrics = try await get("/metrics", port).components(separatedBy: "\r\n\r\n").dropFirst().joined()
        try metrics.write(toFile: folder + "/metrics", atomically: true, encoding: .utf8)
        let lint = try ChildProcess.run(
            "/bin/sh", ["-c", "'\(root)/usr/bin/promtool' check metrics <'\(folder)/metrics'"])
        #expect(lint.code == 0, "\(lint.output)")
        let configuration = """
            global: {scrape_interval: 1s}
            scrape_configs: [{job_name: nilod, static_configs: [{targets: ["127.0.0.1:\(port)"]}]}]

            """
        try configuration.write(toFile: folder + "/prometheus.yml", atomically: true, encoding: .utf8)
        let prometheus = try ChildProcess(
            root + "/usr/bin/prometheus",
            [
                "--config.file=\(folder)/prometheus.yml", "--storage.tsdb.path=\(folder)/tsdb",
                "--web.listen-address=127.0.0.1:0",
            ])
        defer { prometheus.stop() }
        let line = try #require(try prometheus.lines(with: "msg=\"Listening on\"").first)
        let web = try #require(line.split(separator: ":").last.flatMap { Int($0) })
        let query = "/api/v1/query?query=nilometer_readings_accepted_total"
        let answer = try await ask(query, web) { $0.contains("\"value\":[") }
        #expect(answer.contains("\"2\"]"), "\(answer)")
    }
}
