import ControlInterface
import Foundation
import Glibc
import TestSupport
import Testing
import Varlink

@Suite("Promise 7: no plugin can take the daemon down or outlive it", .serialized, .timeLimit(.minutes(10)))
struct PluginTests {
    private let folder: TemporaryFolder
    private static let impatience = "deadline = \"300ms\"\nstartup = \"8s\""

    init() throws { folder = try TemporaryFolder() }

    private var configuration: String {
        """
        \(folder.pluginPath)
        [[series]]
        select = "*"
        cadence = "10s"
        [[forecaster]]
        name = "faulty"
        method = "faulty"
        series = ["bad,*"]
        horizon = 6
        [[forecaster]]
        name = "steady"
        method = "holt-winters"
        series = ["*"]
        horizon = 6
        """
    }

    /// A daemon with a plugin for `bad,*` and a method of its own for `room,*`.
    private func daemon(_ fault: String) throws -> Daemon {
        try folder.writeFaultyPlugin(
            fault, "memory_mb = 256\n\(fault == "hang" ? Self.impatience : "deadline = \"5s\"")")
        return try Daemon(
            in: folder, configuration,
            // Swift would hold a process that traps for seconds, to look at it.
            environment: ["SWIFT_BACKTRACE": "enable=no"])
    }

    /// Feeds both series one slot, or the good one alone, and asks for the good one's forecast.
    ///
    /// - Returns: how long the answer took.
    private func step(_ daemon: Daemon, _ slot: Int, both: Bool = true) throws -> Duration {
        let time = (1_750_000_000 + slot * 10) * 1_000_000_000
        let text = (both ? "bad,id=1 t=\(slot % 7) \(time)\n" : "") + "room,id=1 t=\(slot % 5) \(time)\n"
        let _: Control.Ingest.Reply = try daemon.call("Ingest", Control.Ingest.Request(text: text))
        let question = Control.GetForecast.Request(series: "room,id=1 t")
        let start = ContinuousClock.now
        let _: Control.GetForecast.Reply = try daemon.call("GetForecast", question)
        let took = ContinuousClock.now - start
        let state: Control.GetState.Reply = try daemon.call("GetState", question)
        #expect(state.slot == 175_000_000 + slot)
        return took
    }

    private func plugin(_ daemon: Daemon) throws -> Plugin {
        let reply: Control.ListPlugins.Reply = try daemon.call("ListPlugins")
        return try #require(reply.plugins.first { $0.name == "faulty" })
    }

    private func awaitReady(_ daemon: Daemon) throws {
        try wait(until: "the plugin is ready") { try plugin(daemon).state == "ready" }
    }

    private func awaitNoProcess(of daemon: Daemon) throws {
        defer { for pid in (try? processes(except: daemon)) ?? [] { kill(pid, SIGKILL) } }
        try wait(until: "the daemon's children are gone") { try processes(except: daemon).isEmpty }
    }

    /// The processes whose command line has the folder's name, without the daemon.
    private func processes(except daemon: Daemon) throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.filter { pid in
            guard pid != daemon.process.pid, let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline")
            else { return false }
            return String(decoding: line, as: UTF8.self).contains(folder.url.path)
        }
    }

    @Test(
        "it fails in every way there is; others are served as fast as ever, it is told why, and none is left behind",
        arguments: [
            ("trap", "its process ended with signal \(SIGILL)"), ("hang", "there was no answer in time"),
            ("allocate", "its process ended with signal \(SIGABRT)"), ("close", "the other side closed the connection"),
            ("garbage", "the other side does not speak Varlink"), ("size", "expected states as base64 of"),
            ("fork", "its process ended with exit code 1"),
        ])
    func fault(_ fault: String, _ reason: String) throws {
        guard fault != "allocate" || !Sanitizer.isThread else {
            return skip("under ThreadSanitizer nothing ends a plugin that allocates without end")
        }
        let daemon = try daemon(fault)
        // Nothing for the plugin to do yet, or it would count calls of its own time.
        let usual = try (0..<60).map { try step(daemon, $0, both: false) }.sorted()
        try awaitReady(daemon)
        var (slot, troubled): (Int, [Duration]) = (60, [])
        // How many slots that takes depends on how fast they are.
        try wait(until: "the plugin has failed once, and 200 slots have passed") {
            troubled.append(try step(daemon, slot))
            slot += 1
            return try plugin(daemon).restarts > 0 && troubled.count >= 200
        }
        troubled.sort()
        // Other tests and builds share this machine; waiting for the plugin would cost 300 ms each time.
        let (p99, limit) = (troubled[troubled.count * 99 / 100], max(usual[59] * 2, usual[59] + .milliseconds(150)))
        #expect(p99 <= limit, "p99 \(p99), usual \(usual[59])")
        let found = try plugin(daemon)
        #expect(found.absent > 0)
        try wait(until: "the last error is \"\(reason)\", not \(found.lastError ?? "none")") {
            _ = try step(daemon, slot)
            slot += 1
            return try plugin(daemon).lastError?.contains(reason) == true
        }
        if fault == "hang" {
            // Where it hung before it hangs again before it serves: nobody waits for it a second time.
            let calls = try plugin(daemon).calls
            try wait(until: "it has hung again") { try plugin(daemon).restarts > found.restarts }
            for slot in slot..<slot + 20 { _ = try step(daemon, slot) }
            #expect(try plugin(daemon).calls == calls)
        } else {
            // It comes back; unless it took its time to fail, as above.
            try wait(until: "it is started again") {
                let now = try plugin(daemon)
                return now.state == "ready" || now.restarts > found.restarts
            }
        }
        daemon.kill()
        try awaitNoProcess(of: daemon)
    }

    @Test("it floods its standard error: the log stays small, and it goes on")
    func flood() throws {
        let daemon = try daemon("flood")
        for slot in 0..<60 { _ = try step(daemon, slot) }
        try awaitReady(daemon)
        let calls = try plugin(daemon).calls
        var slot = 60
        try wait(until: "it has answered 100 calls more") {
            _ = try step(daemon, slot)
            slot += 1
            return try plugin(daemon).calls >= calls + 100
        }
        #expect(daemon.stop() == 0)
        let log = daemon.process.standardError
        #expect(log.utf8.count < 1 << 20)
        #expect(log.contains("plugin faulty: flood, flood, flood"))
        #expect(try processes(except: daemon).isEmpty)
    }

    @Test("a plugin that is not who its manifest says does not serve, and it is told why")
    func impostor() throws {
        try folder.writePlugin(
            "faulty",
            manifest: """
                contract = 1
                name = "faulty"
                version = "2"
                command = ["\(ChildProcess.path(of: "FaultyPlugin"))", "none", "8", "\(folder.url.path)"]
                """)
        let daemon = try Daemon(in: folder, configuration)
        for slot in 0..<20 { _ = try step(daemon, slot) }
        let found = try plugin(daemon)
        #expect(found.lastError?.contains("expected the version 2, as in plugin.toml, found 1") == true, "\(found)")
        let state: Control.GetState.Reply = try daemon.call("GetState", Control.GetState.Request(series: "bad,id=1 t"))
        #expect(state.method == "holt-winters")
        #expect(daemon.stop() == 0)
    }

    @Test("a daemon that starts again replays with its plugin: the state is the one before, and nothing is absent")
    func replayed() throws {
        let first = try daemon("none")
        let question = Control.GetState.Request(series: "bad,id=1 t")
        for slot in 0..<40 { _ = try step(first, slot) }
        let before: Control.GetState.Reply = try first.call("GetState", question)
        #expect(try plugin(first).absent == 0)
        first.kill()
        let second = try daemon("none")
        let after: Control.GetState.Reply = try second.call("GetState", question)
        #expect(after.sha256 == before.sha256)
        #expect(try plugin(second).absent == 0)
        #expect(second.stop() == 0)
    }

    @Test("kill -9 of the daemon leaves no child, nor does that of the launcher")
    func orphans() throws {
        let daemon = try daemon("none")
        for slot in 0..<20 { _ = try step(daemon, slot) }
        try awaitReady(daemon)
        #expect(try processes(except: daemon).count == 2)
        let launcher = try #require(try plugin(daemon).pid)
        kill(Int32(launcher), SIGKILL)
        try wait(until: "it is started again") { try plugin(daemon).restarts > 0 }
        try awaitReady(daemon)
        #expect(try processes(except: daemon).count == 2)
        daemon.kill()
        try awaitNoProcess(of: daemon)
    }
}
