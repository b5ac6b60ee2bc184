import ControlInterface
import Foundation
import Glibc
import TestSupport
import Testing

@Suite("The configuration")
struct ConfigurationTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func check(_ text: String) throws -> (code: Int32, errors: String) {
        let file = try folder.write(text, to: "nilod.toml")
        let child = try ChildProcess("nilod", ["check-config", file])
        return (child.wait(), child.standardError)
    }

    @Test(
        "what cannot be used is told with file, line, key and what would be right, exit code 78",
        arguments: [
            ("time_zone = \"Mars/Base\"", ":1: time_zone: expected a name such as Europe/Berlin"),
            ("\nretension = \"30d\"", ":2: retension: expected a key that this table has; did you mean retention?"),
            ("retention = 30", ":1: retention: expected a duration"),
            ("[[forecaster]]\nname = \"a\"\nhorizon = 0", ":3: forecaster[0].horizon: expected a whole number from 1"),
            ("[[forecaster]]\nname = \"a\"\nmethod = \"arima\"", ":3: forecaster[0].method: expected one of"),
            ("[[forecaster]]\nname = \"a\"\nretrain = \"often\"", ":3: forecaster[0].retrain: expected \"never\""),
            ("[[forecaster]]\nname = \"a\"\nquantiles = [0.9, 0.1]", ":3: forecaster[0].quantiles: expected ascending"),
            ("[[forecaster]]\nname = \"a\"\n[forecaster.parameters.lstm]\nunits = -1", "parameter \"units\" must be"),
            ("[[source]]\nkind = \"modem\"", ":2: source[0].kind: expected"),
            ("[[forecaster]]\nname = \"..\"", ":2: forecaster[0].name: expected a name of 1 to 64 letters, digits"),
            ("[[forecaster]]\nname = \"\"", ":2: forecaster[0].name: expected a name of 1"),
            ("[[forecaster]]\nname = \"\\u001b[31m\"", "forecaster[0].name: expected a name of 1"),
            ("[[sink]]\nkind = \"file\"\npath = \"x\"\nname = \"a/b\"", ":4: sink[0].name: expected a name of 1"),
            ("state_dir = \"\"", ":1: state_dir: expected a path in quotes"),
            (
                "[[source]]\nkind = \"unix\"\npath = \"/tmp/\(String(repeating: "x", count: 120))\"",
                ":3: source[0].path: expected a path of at most 107 bytes for a socket, and /tmp/xxx"
            ),
            ("socket = \"\"", ":1: socket: expected the path of a socket"),
            ("max_unfinished_mib = 1", ":1: max_unfinished_mib: expected a whole number from 32"),
            (
                "[[forecaster]]\nname = \"a\"\nseries = [\"\(String(repeating: "*", count: 65))\"]",
                ":3: forecaster[0].series: expected at most 64 stars in a selector, not 65"
            ),
            ("name = = 1", ":1:"),
        ])
    func refused(_ text: String, _ expected: String) throws {
        let (code, errors) = try check(text)
        #expect(code == 78)
        #expect(errors.contains(expected), "\(errors)")
        #expect(!errors.contains("\u{1B}"))
    }

    @Test("the files that come with the project are fine")
    func packaged() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let samples = try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "Plugins").path)
            .map { "Plugins/\($0)/sample.toml" }
        for path in ["packaging/nilod.toml", "packaging/demo.toml"] + samples {
            let file = root.appending(path: path).path
            guard FileManager.default.fileExists(atPath: file) else { continue }
            let child = try ChildProcess("nilod", ["check-config", file])
            #expect(child.wait() == 0, "\(path): \(child.standardError)")
        }
    }

    @Test("a socket that no path can name is exit code 78 with its length and the limit")
    func longSocket() throws {
        let path = folder.path(String(repeating: "z", count: 120))
        let child = try ChildProcess("nilod", ["--state-dir", folder.path("state"), "--socket", path])
        #expect(child.wait() == 78)
        #expect(
            child.standardError.contains(
                "expected a path of at most 107 bytes for a socket, and \(path) has \(path.utf8.count)"))
    }

    @Test("a missing file is exit code 78 with its name")
    func missing() throws {
        let child = try ChildProcess("nilod", ["--config", folder.path("none.toml")])
        #expect(child.wait() == 78)
        #expect(child.standardError.contains("none.toml: cannot be read: No such file or directory"))
    }

    @Test("a reload by SIGHUP or niloctl keeps the states; a bad file changes nothing")
    func reload() throws {
        let daemon = try Daemon(in: folder, smooth)
        let file = try folder.write(lines("1", 0..<30), to: "readings.lp")
        #expect(try Niloctl(daemon.socket, "ingest", file).code == 0)
        let state = { try Niloctl(daemon.socket, "state", "room,id=1 t", "--json").output }
        let before = try state()
        _ = try folder.write(smooth + "\nretrain = \"often\"", to: "nilod.toml")
        let refused = try Niloctl(daemon.socket, "reload")
        #expect(refused.code == 65)
        #expect(refused.errors.contains("forecaster[0].retrain"))
        #expect(try state() == before)
        let other = "\n[[forecaster]]\nname = \"other\"\nmethod = \"seasonal-naive\"\nseries = [\"none*\"]"
        _ = try folder.write(smooth + other, to: "nilod.toml")
        daemon.process.signal(SIGHUP)
        while try Niloctl(daemon.socket, "forecasters", "--json").json.first.map({ "\($0)" })?.contains("other") != true
        {}
        #expect(try state() == before)
        #expect(daemon.stop() == 0)
    }

    @Test("a group that does not exist is said at the start")
    func missingGroup() throws {
        let daemon = try Daemon(in: folder, "group = \"no-such-group\"\n" + smooth)
        #expect(daemon.process.says("there is no group no-such-group: only root"))
        #expect(daemon.stop() == 0)
    }

    @Test("a retrain rule that a reload brings is gone by at once")
    func retrainRule() throws {
        let daemon = try Daemon(in: folder, smooth)
        let due = {
            try daemon.call("ListForecasters", as: Control.ListForecasters.Reply.self).forecasters.first?.nextDue
        }
        #expect(try due() == nil)
        _ = try folder.write(smooth + "\nretrain = \"every 1h\"", to: "nilod.toml")
        #expect(try Niloctl(daemon.socket, "reload").code == 0)
        // Without it the schedule looks once a minute.
        try wait(until: "a time is noted", within: .seconds(20)) { try due() != nil }
        #expect(daemon.stop() == 0)
    }

    @Test("a database of a newer nilod is refused with exit code 78, one of another program too")
    func schema() throws {
        try FileManager.default.createDirectory(atPath: folder.path("state"), withIntermediateDirectories: true)
        try Sabotage(folder.path("state/nilo.db")).run("PRAGMA user_version = 99")
        let child = try ChildProcess("nilod", ["--state-dir", folder.path("state"), "--socket", folder.path("s")])
        #expect(child.wait() == 78)
        #expect(child.standardError.contains("was written by a newer nilod (schema 99"))
    }

    @Test("the former word for the LSTM's usual recipe is still read; another one is refused with those there are")
    func formerRecipe() throws {
        let folder = try TemporaryFolder()
        func check(_ recipe: String) throws -> (Int32, String) {
            let text = "[[forecaster]]\nname = \"a\"\n[forecaster.parameters.lstm]\nrecipe = \"\(recipe)\"\n"
            let child = try ChildProcess("nilod", ["check-config", folder.write(text, to: "n.toml")])
            return (child.wait(), child.standardError)
        }
        for word in ["d", "residual", "plain"] { #expect(try check(word).0 == 0) }
        let (code, text) = try check("e")
        #expect(code == 78 && text.contains("one of \"residual\", \"plain\""), "\(text)")
    }
}
