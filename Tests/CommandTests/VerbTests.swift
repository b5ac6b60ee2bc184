import Foundation
import TestSupport
import Testing

@Suite("niloctl")
struct VerbTests {
    private let folder: TemporaryFolder
    private let daemon: Daemon

    init() throws {
        folder = try TemporaryFolder()
        daemon = try Daemon(in: folder, smooth)
        let file = try folder.write(lines("1", 0..<50) + lines("2", 0..<50), to: "readings.lp")
        let sent = try Niloctl(daemon.socket, "ingest", file)
        #expect(sent.code == 0, "\(sent.errors)")
        #expect(sent.output == "accepted 100 (0 late), refused 0, skipped 0 text fields\n")
    }

    private func run(_ arguments: String...) throws -> Niloctl {
        let child = try ChildProcess("niloctl", ["--socket", daemon.socket] + arguments)
        return Niloctl(child)
    }

    @Test(
        "every verb that asks answers people with a table and programs with JSON",
        arguments: [
            ["status"], ["series"], ["doctor"], ["forecast", "room,id=1 t"], ["forecasters"], ["models", "smooth"],
            ["state", "room,id=1 t"], ["explain", "room,id=1 t"], ["scores"], ["plugins"], ["version"],
        ])
    func questions(_ verb: [String]) throws {
        let table = try Niloctl(ChildProcess("niloctl", ["--socket", daemon.socket] + verb))
        #expect(table.code == 0 && !table.output.isEmpty && table.errors.isEmpty)
        #expect(!table.output.hasPrefix("{"))
        let json = try Niloctl(ChildProcess("niloctl", verb + ["--json", "--socket", daemon.socket]))
        #expect(json.code == 0 && json.json.count == 1)
    }

    @Test("state tells forecaster, version, absorbed position and slot, and the hash of the state's bytes")
    func state() throws {
        let state = try #require(try run("state", "room,id=1 t", "--json").json.first)
        #expect(state["forecaster"] as? String == "smooth")
        #expect(state["modelVersion"] as? Int == 1)
        #expect(state["position"] as? Int == 50)
        #expect(state["slot"] as? Int == 175_000_049)
        #expect((state["sha256"] as? String)?.count == 64)
    }

    @Test("a bad line is told with line and column, its good neighbours are kept, and the exit code is 65")
    func badLines() throws {
        let time = 1_750_001_000_000_000_000
        let text = "room,id=3 t=1 \(time)\nroom,id=3 t= \(time)\nroom,id=3 t=2 \(time + 10_000_000_000)\n"
        let file = try folder.write(text, to: "bad.lp")
        let sent = try Niloctl(daemon.socket, "ingest", "-", input: file)
        #expect(sent.code == 65)
        #expect(sent.errors.hasPrefix("2:13: expected a field value"))
        #expect(sent.output == "accepted 2 (0 late), refused 1, skipped 0 text fields\n")
        let ahead = try folder.write("room,id=3 t=1 9000000000000000000\n", to: "ahead.lp")
        let refused = try Niloctl(daemon.socket, "ingest", ahead)
        #expect(refused.code == 65)
        #expect(refused.errors.contains("room,id=3 t: the timestamp is more than 5 minutes ahead"))
    }

    @Test("CSV goes in as export writes it, and comes out the same")
    func csv() throws {
        let text =
            "series,timestamp,value\n\"room,id=9 t\",1750000000000000000,1.5\n\"room,id=9 t\",1750000010000000000,-2\n"
        let file = try folder.write(text, to: "readings.csv")
        #expect(try Niloctl(daemon.socket, "ingest", "--csv", file).code == 0)
        let exported = try run("export", "room,id=9 t")
        #expect(exported.output == text.replacing(",-2\n", with: ",-2.0\n"))
        let range = try run("export", "room,id=9 t", "--start", "2025-06-15T15:06:45Z", "--format", "line")
        #expect(range.output == "room,id=9 t=-2.0 1750000010000000000\n")
    }

    @Test("a time is RFC 3339, a day or so long ago; anything else is told before the daemon is asked")
    func times() throws {
        let header = "series,timestamp,value\n"
        func rows(_ start: String, _ end: String) throws -> Int {
            let exported = try run("export", "room,id=1 t", "--start", start, "--end", end)
            #expect(exported.code == 0, "\(exported.errors)")
            #expect(exported.output.hasPrefix(header))
            return exported.output.split(separator: "\n").count - 1
        }
        #expect(try rows("2025-06-15", "2025-06-16") == 50)
        #expect(try rows("2025-06-15T15:08:00Z", "2025-06-16") == 42)
        #expect(try rows("1750000400000000000", "2025-06-16") == 10)
        #expect(try rows("36500d", "0s") == 50)
        #expect(try rows("1h", "0s") == 0)
        for wrong in ["yesterday", "-1h", "1w", "99999999999999999999d", "99999999999d", "2025-13-01"] {
            let refused = try run("export", "*", "--start=\(wrong)")
            #expect(refused.code == 64 && refused.errors.contains("'\(wrong)'"), "\(refused.errors)")
        }
        let format = try run("export", "*", "--format", "xml")
        #expect(format.code == 64 && format.errors.contains("csv") && format.errors.contains("json"))
    }

    @Test("an unknown series is refused with the nearest names, an unknown forecaster with those there are")
    func unknown() throws {
        let series = try run("forecast", "room,id=1 tt")
        #expect(series.code == 65)
        #expect(series.errors.contains("did you mean \"room,id=1 t\""))
        let forecaster = try run("models", "smoth")
        #expect(forecaster.code == 65)
        #expect(forecaster.errors.contains("the configuration has smooth"))
        #expect(try run("frobnicate").code == 64)
        #expect(try run("ingest", folder.path("missing")).code == 66)
    }

    @Test("without a daemon the exit code is 69 and the text says how to start one")
    func noDaemon() throws {
        let asked = try Niloctl(folder.path("nobody"), "status")
        #expect(asked.code == 69)
        #expect(asked.errors.contains("Is nilod running?"))
    }

    @Test("a backup taken while the daemon runs starts a daemon with the same state; it replaces nothing unasked")
    func backup() throws {
        let other = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: other.path("state"), withIntermediateDirectories: true)
        #expect(try run("backup", other.path("state/nilo.db")).code == 0)
        #expect(try run("backup", other.path("state/nilo.db")).code == 73)
        let second = try Daemon(in: other, smooth)
        let hash = { (socket: String) in
            try Niloctl(socket, "state", "room,id=2 t", "--json").json.first?["sha256"] as? String
        }
        #expect(try hash(second.socket) == hash(daemon.socket))
        #expect(second.stop() == 0)
    }

    @Test("forget removes the selected series and says which; reset starts a state anew")
    func forget() throws {
        #expect(try run("forget", "room,id=1*").code == 64)
        #expect(try run("forget", "room,id=1*", "--yes").output == "removed room,id=1 t\n")
        #expect(try run("state", "room,id=1 t").code == 65)
        #expect(try run("export", "*").output.split(separator: "\n").count == 51)
        #expect(try run("reset", "room,id=2 t").code == 0)
        #expect(try run("state", "room,id=2 t", "--json").json.first?["modelVersion"] as? Int == 1)
    }

    @Test("watch streams a forecast per commit and stops when told")
    func watch() throws {
        let watcher = try ChildProcess(
            "niloctl", ["--socket", daemon.socket, "watch", "room,id=1*", "--count", "3", "--json"])
        var slot = 50
        while !watcher.hasEnded {
            let file = try folder.write(lines("1", slot..<slot + 1), to: "more.lp")
            #expect(try Niloctl(daemon.socket, "ingest", file).code == 0)
            slot += 1
        }
        #expect(watcher.wait() == 0)
        #expect(Niloctl(watcher).json.count == 3)
    }
}

extension Niloctl {
    /// A run that was started otherwise.
    fileprivate init(_ child: ChildProcess) {
        code = child.wait()
        output = child.standardOutput
        errors = child.standardError
    }
}
