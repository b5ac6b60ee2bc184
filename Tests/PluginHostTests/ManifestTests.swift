import ControlInterface
import Foundation
import TestSupport
import Testing

@Suite("Manifests of plugins")
struct ManifestTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static let good = """
        contract = 1
        name = "odd"
        version = "1"
        command = ["/bin/true"]

        [[parameter]]
        name = "window"
        default = 12
        minimum = 3
        maximum = 64
        """

    private static let malformed: [(String, String)] = [
        ("contract = = 1", "plugin.toml:1:"),
        (good.replacing("contract = 1", with: "contract = 2"), "plugin.toml:1: contract: expected 1, which this nilod"),
        (good.replacing("/bin/true", with: "/nowhere/at/all"), "command: expected a program that is there"),
        (good.replacing("/bin/true", with: "/etc/passwd"), "command: expected a program that may be run; "),
        (good.replacing("version = \"1\"", with: ""), "version: expected a value; it is missing"),
        (good.replacing("version", with: "verson"), "version: expected a value"),
        (good + "\nmaximun = 4", "parameter[0].maximun: expected a key that this table has; did you mean maximum?"),
        (good.replacing("default = 12", with: "default = 2"), "parameter[0].default: expected a whole number from 3"),
        (good + "\n[other]", "other: expected a key that this table has"),
        (good.replacing("\"odd\"", with: "\"../odd\""), "name: expected a name of 1 to 64 letters, digits"),
        (good.replacing("\"odd\"", with: "\"\""), "name: expected a name of 1 to 64 letters, digits"),
        (good.replacing("\"odd\"", with: "\"lstm\""), "name: expected a name of its own; \"lstm\" is taken"),
    ]

    @Test(
        "what is malformed, of another contract or without a command is named, and everything else starts",
        arguments: malformed)
    func refused(_ manifest: String, _ reason: String) throws {
        try folder.writePlugin("odd", manifest: manifest)
        let daemon = try Daemon(
            in: folder,
            """
            \(folder.pluginPath)
            [[forecaster]]
            name = "odd"
            method = "odd"
            series = ["odd,*"]
            [[forecaster]]
            name = "steady"
            method = "holt-winters"
            """)
        let reply: Control.ListPlugins.Reply = try daemon.call("ListPlugins")
        let plugin = try #require(reply.plugins.first)
        #expect(plugin.state == "refused")
        #expect(plugin.lastError?.contains(reason) == true, "\(plugin.lastError ?? "")")
        let text = (0..<30).map { "odd,id=1 t=\($0) \((1_750_000_000 + $0 * 10) * 1_000_000_000)\n" }.joined()
        let _: Control.Ingest.Reply = try daemon.call("Ingest", Control.Ingest.Request(text: text))
        // Its opponents serve in its place.
        let forecast: Control.GetForecast.Reply = try daemon.call(
            "GetForecast", Control.GetForecast.Request(series: "odd,id=1 t"))
        #expect(forecast.forecast.method == "holt-winters")
        #expect(daemon.stop() == 0)
        #expect(daemon.process.standardError.contains("plugin refused: "))
    }

    @Test("of two plugins of one name that of the earlier folder counts, and the other is named as refused")
    func precedence() throws {
        let other = try TemporaryFolder()
        for (folder, version) in [(folder, "2"), (other, "3")] {
            try folder.writePlugin(
                "odd", manifest: Self.good.replacing("version = \"1\"", with: "version = \"\(version)\""))
        }
        for (paths, expected) in [([folder, other], "2"), ([other, folder], "3")] {
            let list = paths.map { "\"\($0.path("plugins"))\"" }.joined(separator: ", ")
            let daemon = try Daemon(in: TemporaryFolder(), "plugin_path = [\(list)]")
            let reply: Control.ListPlugins.Reply = try daemon.call("ListPlugins")
            #expect(reply.plugins.map(\.state) == ["idle", "refused"], "\(reply.plugins.map(\.state))")
            #expect(reply.plugins[0].version == expected && reply.plugins[0].folder.hasPrefix(paths[0].url.path))
            #expect(reply.plugins[1].lastError?.contains("\"odd\" is taken") == true)
            #expect(daemon.stop() == 0)
        }
    }

    @Test("a parameter that the manifest does not allow is refused before anything runs, exit code 78")
    func parameters() throws {
        try folder.writePlugin("odd", manifest: Self.good)
        let file = try folder.write(
            """
            \(folder.pluginPath)
            [[forecaster]]
            name = "odd"
            method = "odd"
            [forecaster.parameters.odd]
            window = 2
            """, to: "nilod.toml")
        let child = try ChildProcess("nilod", ["check-config", file])
        #expect(child.wait() == 78)
        #expect(child.standardError.contains("parameter \"window\" must be a whole number from 3.0 to 64.0, not 2"))
    }

    @Test("a mix takes the tables of its members alone; those of others are checked as well")
    func mix() throws {
        try folder.writePlugin("odd", manifest: Self.good)
        func check(_ tables: String) throws -> (code: Int32, errors: String) {
            let file = try folder.write(
                """
                \(folder.pluginPath)
                [[forecaster]]
                name = "all"
                method = "mix"
                \(tables)
                [forecaster.parameters.odd]
                window = 8
                """, to: "nilod.toml")
            let child = try ChildProcess("nilod", ["check-config", file])
            return (child.wait(), child.standardError)
        }
        let beside = try check("[forecaster.parameters.lstm]\nunits = 8")
        #expect(beside.code == 0, "\(beside.errors)")
        let member = "[forecaster.parameters.mix]\nmembers = [\"lstm\", \"linear\"]\n"
        #expect(try check(member + "[forecaster.parameters.lstm]\nunits = 8").code == 0)
        for method in ["lstm", "holt-winters"] {
            let wrong = try check(member + "[forecaster.parameters.\(method)]\nunit = 8")
            #expect(wrong.code == 78)
            #expect(wrong.errors.contains("\"unit\"") || wrong.errors.contains("\"lstm.unit\""), "\(wrong.errors)")
        }
    }

    @Test("niloctl plugin check says so too, exit code 78")
    func check() throws {
        let child = try ChildProcess(
            "niloctl", ["plugin", "check", try folder.writePlugin("odd", manifest: "contract = 2")])
        #expect(child.wait() == 78)
        #expect(child.standardError.contains("contract: expected 1"))
    }

    @Test("niloctl plugin check tells of a folder without a manifest, and how a program ended that said nothing")
    func silent() throws {
        let nowhere = try ChildProcess.run("niloctl", ["plugin", "check", folder.url.path])
        #expect(nowhere.code == 78)
        #expect(nowhere.output.contains("expected a folder with a plugin.toml; there is none"))
        let manifest = Self.good.replacing("/bin/true", with: "/bin/false")
        let plugin = try folder.writePlugin("odd", manifest: manifest)
        let ended = try ChildProcess.run("niloctl", ["plugin", "check", plugin])
        #expect(ended.code == 65)
        let reason = "it closed the socket without an answer to Describe; its process ended with exit code 1"
        #expect(ended.output.contains(reason), "\(ended.output)")
    }
}
