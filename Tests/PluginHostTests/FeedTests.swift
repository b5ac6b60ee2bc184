import ControlInterface
import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Children that feed and are fed", .serialized)
struct FeedTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static let forecaster = """
        [[series]]
        select = "*"
        cadence = "10s"
        [[forecaster]]
        name = "smooth"
        method = "holt-winters"
        horizon = 2
        """

    /// 40 slots of a series.
    private static let lines = (0..<40).map { "room,id=1 t=\($0 % 5) \((1_750_000_000 + $0 * 10) * 1_000_000_000)\n" }

    private func series(_ daemon: Daemon) throws -> Series? {
        let reply: Control.ListSeries.Reply = try daemon.call("ListSeries")
        return reply.series.first
    }

    private func sink(_ daemon: Daemon) throws -> Sink {
        let reply: Control.GetStatus.Reply = try daemon.call("GetStatus")
        return try #require(reply.sinks.first)
    }

    /// A port of the loopback that is free now.
    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, size) == 0 ? getsockname(descriptor, address, &size) : -1
            }
        }
        guard code == 0 else { throw TestError("no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    @Test("mosquitto_sub as a source: what is published arrives, and again after the broker was away")
    func mosquitto() throws {
        guard let broker = try Tool.path("mosquitto", package: "mosquitto"),
            let publisher = try Tool.path("mosquitto_pub", package: "mosquitto-clients"),
            let subscriber = try Tool.path("mosquitto_sub", package: "mosquitto-clients")
        else { return }
        let port = try Self.freePort()
        let file = try folder.write("listener \(port) 127.0.0.1\nallow_anonymous true\n", to: "mosquitto.conf")
        var running = try ChildProcess(broker, ["-c", file])
        let daemon = try Daemon(
            in: folder,
            """
            \(Self.forecaster)
            [[source]]
            kind = "exec"
            command = ["\(subscriber)", "-h", "127.0.0.1", "-p", "\(port)", "-t", "readings"]
            """)
        // Who subscribes late misses what was published before.
        func publish(until isDone: () throws -> Bool) throws {
            try wait(until: "what was published has arrived") {
                _ = try ChildProcess(
                    publisher, ["-h", "127.0.0.1", "-p", "\(port)", "-t", "readings", "-s"],
                    input: folder.write(Self.lines.joined(), to: "lines")
                ).wait()
                return try isDone()
            }
        }
        try publish { try series(daemon)?.readings == 40 }
        running.kill()
        running.wait()
        running = try ChildProcess(broker, ["-c", file])
        let before = try #require(try series(daemon)).repeated
        try publish { try (series(daemon)?.repeated ?? 0) > before }
        #expect(daemon.stop() == 0)
        running.kill()
    }

    @Test("a source that ends is started again, its bad lines are named, and the good ones kept")
    func restarted() throws {
        let lines = try folder.write("room,id=1 t=\nroom,id=1 t=4 1750000000000000000\n", to: "lines")
        let daemon = try Daemon(
            in: folder,
            """
            [[source]]
            kind = "exec"
            command = ["sh", "-c", "cat '\(lines)'; echo run >> '\(folder.path("runs"))'"]
            """)
        func runs() -> Int {
            (try? String(contentsOfFile: folder.path("runs"), encoding: .utf8).split(separator: "\n").count) ?? 0
        }
        try wait(until: "it has run three times") { runs() >= 3 }
        try wait(until: "its good line has arrived") { try series(daemon) != nil }
        #expect(daemon.stop() == 0)
        #expect(daemon.process.standardError.contains("refused 1 lines or readings: 1:13: expected a field value"))
    }

    @Test("a source that prints garbage without end does not fill the log, and what it printed is counted")
    func garbage() throws {
        let daemon = try Daemon(
            in: folder,
            """
            [[source]]
            kind = "http"
            path = "\(folder.path("h"))"
            [[source]]
            kind = "exec"
            command = ["sh", "-c", "yes 'garbage = = =' | head -n 4000000; sleep 1000"]
            """)
        func refused() throws -> Int {
            let peer = try RawPeer(folder.path("h"))
            peer.send("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            let text = peer.receiveText()
            let line = text.split(separator: "\n").first { $0.hasPrefix("nilometer_lines_refused_total ") }
            return line.flatMap { $0.split(separator: " ").last }.flatMap { Double($0) }.map { Int($0) } ?? 0
        }
        try wait(until: "all of it is counted") { try refused() == 4_000_000 }
        #expect(daemon.stop() == 0)
        let lines = daemon.process.standardError.split(separator: "\n").filter { $0.contains("refused") }
        #expect((1...200).contains(lines.count), "\(lines.count)")
    }

    @Test("an exec sink gets every forecast and model event as a line of JSON, a file sink likewise")
    func sinks() throws {
        let received = folder.path("received")
        let daemon = try Daemon(
            in: folder,
            """
            \(Self.forecaster)
            [[sink]]
            kind = "exec"
            name = "cat"
            command = ["sh", "-c", "cat > '\(received)'"]
            [[sink]]
            kind = "file"
            path = "\(folder.path("events"))"
            """)
        for line in Self.lines {
            let _: Control.Ingest.Reply = try daemon.call("Ingest", Control.Ingest.Request(text: line))
            // Each slot is stepped, or several commits would give one forecast.
            let _: Control.ListSeries.Reply = try daemon.call("ListSeries")
            _ = try? daemon.call(
                "GetForecast", Control.GetForecast.Request(series: "room,id=1 t"), as: Control.GetForecast.Reply.self)
        }
        let _: Control.Reset.Reply = try daemon.call("Reset", Control.Reset.Request(series: "room,id=1 t", warm: true))
        try wait(until: "41 events have gone out") { try sink(daemon).written + sink(daemon).dropped >= 41 }
        #expect(daemon.stop() == 0)
        for path in [received, folder.path("events")] {
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let events = try text.split(separator: "\n").map {
                try JSONDecoder().decode(Control.Watch.Reply.self, from: Data($0.utf8))
            }
            let origins = events.compactMap { $0.forecast?.origin }
            #expect(Set(origins).count == 40, "\(path): \(origins.count)")
            #expect(events.contains { $0.model?.hasSuffix("reset, warm") == true })
        }
    }

    @Test("a sink that does not read loses events with a count, and nobody waits for it")
    func slow() throws {
        let daemon = try Daemon(
            in: folder,
            """
            \(Self.forecaster.replacing("horizon = 2", with: "horizon = 500"))
            [[sink]]
            kind = "exec"
            name = "deaf"
            command = ["sleep", "100000"]
            """)
        var slot = 0
        while try sink(daemon).dropped < 20, slot < 400 {
            // Much more than is kept for a sink: 20 forecasts of 500 leads a commit.
            let text = (1...20).map {
                "room,id=\($0) t=\(slot % 5) \((1_750_000_000 + slot * 10) * 1_000_000_000)\n"
            }
            let _: Control.Ingest.Reply = try daemon.call("Ingest", Control.Ingest.Request(text: text.joined()))
            _ = try? daemon.call(
                "GetForecast", Control.GetForecast.Request(series: "room,id=1 t"), as: Control.GetForecast.Reply.self)
            slot += 1
        }
        #expect(try sink(daemon).written > 0)
        #expect(try sink(daemon).dropped >= 20)
        let status = try ChildProcess("niloctl", ["status", "--socket", daemon.socket])
        #expect(status.wait() == 0)
        #expect(status.standardOutput.contains("deaf, "))
        #expect(daemon.stop() == 0)
    }
}
