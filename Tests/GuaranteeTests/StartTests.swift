import ControlInterface
import Foundation
import Glibc
import TestSupport
import Testing

@Suite("A start: what it finds, what it keeps to itself, and what it does not touch")
struct StartTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ names: String...) throws {
        for name in names {
            let parent = folder.url.appending(path: name).deletingLastPathComponent()
            try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
            _ = try folder.write("x", to: name)
        }
    }

    private func mode(_ name: String) throws -> Int {
        var status = stat()
        guard lstat(folder.path(name), &status) == 0 else { throw TestError("\(name) is not there") }
        return Int(status.st_mode & 0o777)
    }

    /// Every file and folder below the state folder, by its path in it.
    private func found() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: folder.path("state")).sorted()
    }

    @Test("what a killed daemon left is removed and said; what is not the daemon's own stays")
    func leftovers() throws {
        try write("state/backup-1234-567", "state/backup-1234-567-journal", "state/training/7/panel.npy")
        try write("state/plugins/odd-12ab.weights", "state/plugins/run-3/panel.json")
        try write("state/backup-20260101-1", "state/backup-2026-01", "state/backup.db", "state/training/7x y/weights")
        try write("state/plugins/odd-12ab.json", "state/notes.txt", "elsewhere/weights")
        #expect(symlink(folder.path("elsewhere"), folder.path("state/training/8")) == 0)
        #expect(symlink(folder.path("elsewhere/weights"), folder.path("state/backup-1-1")) == 0)
        let daemon = try Daemon(in: folder, "")
        let left = try found().filter { !$0.hasPrefix("nilo.db") }
        #expect(
            left == [
                "backup-1-1", "backup-2026-01", "backup-20260101-1", "backup.db", "notes.txt", "plugins",
                "plugins/odd-12ab.json", "training", "training/7x y", "training/7x y/weights", "training/8",
            ])
        #expect(
            try found().count > left.count && FileManager.default.fileExists(atPath: folder.path("elsewhere/weights")))
        let said = try daemon.process.lines(with: "removed what an earlier start left", count: 5).joined()
        for name in ["backup-1234-567", "training/7", "plugins/odd-12ab.weights", "plugins/run-3"] {
            #expect(said.contains(name))
        }
        #expect(daemon.stop() == 0)
    }

    @Test("a second daemon removes nothing of the first, and is refused though the lock file is gone")
    func second() throws {
        let daemon = try Daemon(in: folder, "")
        try write("state/plugins/odd-12ab.weights", "state/backup-1234-567")
        unlink(folder.path("state/nilo.db.lock"))
        let second = try ChildProcess("nilod", ["--state-dir", folder.path("state"), "--socket", folder.path("t")])
        #expect(second.ends(within: .seconds(60)))
        #expect(second.wait() == 75)
        #expect(try found().contains("plugins/odd-12ab.weights") && found().contains("backup-1234-567"))
        #expect(daemon.stop() == 0)
    }

    @Test("the state is for the owner and the group whatever the umask is; what was open is closed and said")
    func permissions() throws {
        for (umask, isNew) in [("000", true), ("022", false), ("077", true)] {
            if isNew { try? FileManager.default.removeItem(atPath: folder.path("state")) }
            if !isNew {
                for name in ["", "/nilo.db", "/nilo.db.lock"] {
                    chmod(folder.path("state" + name), name == "" ? 0o755 : 0o666)
                }
            }
            let prefix = ["/bin/sh", "-c", "umask \(umask); exec \"$0\" \"$@\""]
            let daemon = try Daemon(in: folder, Load.configuration, prefix: prefix)
            try Load.prepare(daemon, slots: 300)
            #expect(try mode("state") == 0o750)
            for name in try found() {
                #expect(try mode("state/\(name)") == (name == "training" ? 0o750 : 0o640), "\(name), umask \(umask)")
            }
            #expect(try mode("s") == 0o660)
            #expect(daemon.stop() == 0)
            let said = daemon.process.standardError.components(separatedBy: "was open to others").count - 1
            #expect(said == (isNew ? 0 : 3), "\(daemon.process.standardError)")
        }
    }

    @Test("without standard streams none of its files becomes one, so that the log is written into none")
    func streams() throws {
        let prefix = ["/bin/sh", "-c", "exec \"$0\" \"$@\" 0<&- 1>&- 2>&-"]
        let daemon = try Daemon(in: folder, "", prefix: prefix)
        for descriptor in 0...2 {
            let link = "/proc/\(daemon.process.pid)/fd/\(descriptor)"
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "/dev/null")
        }
        #expect(daemon.stop() == 0)
    }

    @Test("a folder that others share stays as open as it was")
    func shared() throws {
        try FileManager.default.createDirectory(atPath: folder.path("state"), withIntermediateDirectories: true)
        #expect(chmod(folder.path("state"), 0o1777) == 0)
        let daemon = try Daemon(in: folder, "")
        #expect(try mode("state") == 0o777)
        #expect(daemon.stop() == 0)
    }

    @Test(
        "a database that is removed or replaced while it is used ends the daemon with exit code 74, which says so",
        arguments: ["", "-wal"], ["removed, idle", "removed, busy", "replaced, idle", "replaced, busy"])
    func moved(_ suffix: String, how: String) throws {
        let daemon = try Daemon(in: folder, Load.configuration)
        let _: Control.Ingest.Reply = try daemon.call("Ingest", Control.Ingest.Request(text: Load.lines(0..<10)))
        #expect(rename(folder.path("state/nilo.db" + suffix), folder.path("aside")) == 0)
        if how.hasPrefix("replaced") { _ = try folder.write("", to: "state/nilo.db" + suffix) }
        if how.hasSuffix("busy") {
            #expect(throws: (any Error).self) {
                let _: Control.Ingest.Reply = try daemon.call(
                    "Ingest", Control.Ingest.Request(text: Load.lines(10..<20)))
            }
        }
        #expect(daemon.process.ends(within: .seconds(60)))
        #expect(daemon.process.wait() == 74)
        #expect(daemon.process.standardError.contains("nilo.db\(suffix) was removed, renamed or replaced"))
    }

    @Test("a forecaster's name that is a path is refused with its key; under another name all readings are there")
    func names() throws {
        let daemon = try Daemon(in: folder, Load.configuration)
        let _: Control.Ingest.Reply = try daemon.call("Ingest", Control.Ingest.Request(text: Load.lines(0..<40)))
        #expect(daemon.stop() == 0)
        for name in ["..", "../../precious", "/precious"] {
            let text = Load.configuration.replacing("\"house\"", with: "\"\(name)\"")
            let refused = try ChildProcess(
                "nilod", ["--config", folder.write(text, to: "old.toml"), "--state-dir", folder.path("state")])
            #expect(refused.ends(within: .seconds(60)))
            #expect(refused.wait() == 78)
            #expect(refused.standardError.contains("forecaster[0].name: expected a name of 1 to 64 letters"))
        }
        let again = try Daemon(in: folder, Load.configuration.replacing("\"house\"", with: "\"home\""))
        #expect(try Remains.readings(again).count == 160)
        #expect(again.stop() == 0)
    }
}
