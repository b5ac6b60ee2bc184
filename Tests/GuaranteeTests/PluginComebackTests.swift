import ControlInterface
import Foundation
import TestSupport
import Testing

@Suite("A plugin that cannot be loaded at first", .serialized, .timeLimit(.minutes(10)))
struct PluginComebackTests {
    private let folder: TemporaryFolder
    private static let series = "room,id=1 t"

    init() throws { folder = try TemporaryFolder() }

    /// A daemon with a plugin that ends at once until ``repair()``.
    private func daemon() throws -> Daemon {
        try folder.writeFaultyPlugin(guardian: "test -e '\(folder.path("repaired"))' && ")
        return try Daemon(
            in: folder,
            """
            \(folder.pluginPath)
            [[series]]
            select = "*"
            cadence = "10s"
            [[forecaster]]
            name = "rooms"
            method = "faulty"
            horizon = 2
            opponents = ["holt-winters"]
            """)
    }

    private func repair() throws { _ = try folder.write("", to: "repaired") }

    private func feed(_ daemon: Daemon, _ slots: Range<Int>) throws {
        let lines = slots.map { "room,id=1 t=\($0 % 5) \((1_750_000_000 + $0 * 10) * 1_000_000_000)\n" }
        let _: Control.Ingest.Reply = try daemon.call("Ingest", Control.Ingest.Request(text: lines.joined()))
    }

    private func method(_ daemon: Daemon) throws -> String {
        let state: Control.GetState.Reply = try daemon.call("GetState", Control.GetState.Request(series: Self.series))
        return state.method
    }

    private func awaitPlugin(_ daemon: Daemon) throws {
        try wait(until: "the plugin has got its series") { try method(daemon) == "faulty" }
    }

    @Test("its series come to it when it can be loaded, those that it never had and without an operator")
    func comesBack() throws {
        let daemon = try daemon()
        try feed(daemon, 0..<40)
        let _: Control.Reset.Reply = try daemon.call("Reset", Control.Reset.Request(series: Self.series, warm: true))
        #expect(try method(daemon) == "holt-winters")
        try repair()
        try awaitPlugin(daemon)
        let reply: Control.GetForecast.Reply = try daemon.call(
            "GetForecast", Control.GetForecast.Request(series: Self.series))
        #expect(reply.forecast.leads.flatMap(\.values).allSatisfy { $0 == 4 }, "the last value")
        #expect(daemon.stop() == 0)
        #expect(daemon.process.standardError.contains("1 series have come to them"))
    }

    @Test("a restart after the repair brings them, too; what was promoted by hand stays")
    func restarted() throws {
        let first = try daemon()
        try feed(first, 0..<40)
        #expect(try method(first) == "holt-winters")
        first.kill()
        try repair()
        let second = try daemon()
        try awaitPlugin(second)
        let models: Control.ListModels.Reply = try second.call(
            "ListModels", Control.ListModels.Request(forecaster: "rooms"))
        let other = try #require(models.models.first { $0.method == "holt-winters" })
        let _: Control.Promote.Reply = try second.call(
            "Promote", Control.Promote.Request(forecaster: "rooms", version: other.version))
        second.kill()
        let third = try daemon()
        #expect(try method(third) == "holt-winters")
        let _: Control.Reload.Reply = try third.call("Reload")
        #expect(try method(third) == "holt-winters")
        #expect(third.stop() == 0)
    }

    @Test("a model that has served goes back to its series when its plugin is there again, though all about it is lost")
    func described() throws {
        try repair()
        let first = try daemon()
        try feed(first, 0..<40)
        #expect(try method(first) == "faulty")
        first.kill()
        // As after a restored backup, which is the database alone.
        try FileManager.default.removeItem(atPath: folder.path("state/plugins"))
        try FileManager.default.removeItem(atPath: folder.path("repaired"))
        let second = try daemon()
        #expect(try method(second) == "holt-winters")
        try repair()
        try awaitPlugin(second)
        #expect(second.stop() == 0)
    }
}
