import ControlInterface
import Foundation
import TestSupport
import Testing

@Suite("A reload that names a plugin that hangs", .serialized, .timeLimit(.minutes(10)))
struct PluginReloadTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func configuration(_ forecasters: String...) -> String {
        """
        \(folder.pluginPath)
        [[series]]
        select = "*"
        cadence = "10s"
        \(forecasters.joined(separator: "\n"))
        [[forecaster]]
        name = "steady"
        method = "holt-winters"
        horizon = 6
        """
    }

    private func forecaster(_ name: String) -> String {
        """
        [[forecaster]]
        name = "\(name)"
        method = "faulty"
        series = ["\(name),*"]
        horizon = \(name.utf8.count)
        """
    }

    private func plugin(_ daemon: Daemon) throws -> Plugin {
        let reply: Control.ListPlugins.Reply = try daemon.call("ListPlugins")
        return try #require(reply.plugins.first)
    }

    /// Feeds a slot of a series of each kind, which returns when it is committed, and asks for the forecast of one that
    /// has nothing to do with the plugin.
    private func step(_ daemon: Daemon, _ slot: Int) throws {
        let time = (1_750_000_000 + slot * 10) * 1_000_000_000
        let lines = ["bad", "other", "room"].map { "\($0),id=1 t=\(slot % 7) \(time)\n" }
        let _: Control.Ingest.Reply = try daemon.call("Ingest", Control.Ingest.Request(text: lines.joined()))
        let _: Control.GetForecast.Reply = try daemon.call(
            "GetForecast", Control.GetForecast.Request(series: "room,id=1 t"))
    }

    @Test(
        "the writer does not wait for it: readings are committed in each of its lives, and the reload ends with a word")
    func writer() throws {
        try folder.writeFaultyPlugin("hang", call: 1, "startup = \"10s\"")
        let daemon = try Daemon(in: folder, configuration())
        try step(daemon, 0)
        _ = try folder.write(configuration(forecaster("bad")), to: "nilod.toml")
        let reload = try ChildProcess("niloctl", ["reload", "--socket", daemon.socket])
        var slot = 1
        // The second life is that of a later attempt.
        for life in 0...1 {
            try wait(until: "a reading is committed while the plugin starts for the \(life + 1). time") {
                let before = try plugin(daemon)
                try step(daemon, slot)
                slot += 1
                let after = try plugin(daemon)
                try #require(after.restarts <= life, "the plugin's start held a reading up")
                return [before, after].allSatisfy { $0.state == "starting" && $0.restarts == life }
            }
            if life == 0 { try wait(until: "its start has failed") { try plugin(daemon).restarts > 0 } }
        }
        #expect(reload.ends(within: .seconds(60)))
        reload.kill()
        #expect(reload.wait() == 0, "\(reload.standardError)")
        let state: Control.GetState.Reply = try daemon.call("GetState", Control.GetState.Request(series: "bad,id=1 t"))
        #expect(state.method == "holt-winters", "its opponent stands in")
        #expect(daemon.stop() == 0)
        #expect(daemon.process.standardError.contains("forecaster bad: "))
    }

    @Test("the daemon stops when it is told to, though a reload is on its way")
    func stopped() throws {
        try folder.writeFaultyPlugin("hang", call: 1, "startup = \"10m\"")
        let daemon = try Daemon(in: folder, configuration())
        _ = try folder.write(configuration(forecaster("bad")), to: "nilod.toml")
        daemon.process.signal(SIGHUP)
        try wait(until: "the plugin starts") { try plugin(daemon).state == "starting" }
        #expect(daemon.stop(within: .seconds(60)) == 0)
    }

    @Test("steps of the model that it serves already wait for the new one once, not each")
    func loaded() throws {
        try folder.writeFaultyPlugin("stall", "startup = \"20s\"\ndeadline = \"1s\"")
        let daemon = try Daemon(in: folder, configuration(forecaster("bad")))
        for slot in 0..<20 { try step(daemon, slot) }
        try wait(until: "the plugin is ready") { try plugin(daemon).state == "ready" }
        _ = try folder.write(configuration(forecaster("bad"), forecaster("other")), to: "nilod.toml")
        daemon.process.signal(SIGHUP)
        var slot = 20
        try wait(until: "a step has waited in vain") {
            try step(daemon, slot)
            slot += 1
            return try plugin(daemon).absent > 0
        }
        // A deadline for each would be longer than the load may take.
        for slot in slot..<slot + 30 { try step(daemon, slot) }
        #expect(try plugin(daemon).restarts == 0)
        #expect(try plugin(daemon).absent >= 30)
        try wait(until: "it is started again, and serves") {
            let found = try plugin(daemon)
            return found.restarts > 0 && found.state == "ready"
        }
        #expect(daemon.stop() == 0)
    }
}
