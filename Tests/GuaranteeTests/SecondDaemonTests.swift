import ControlInterface
import Glibc
import TestSupport
import Testing
import Varlink

@Suite("Promise 10: one daemon a database")
struct SecondDaemonTests {
    @Test("a second daemon on the same database is refused with the holder's pid and exit code 75")
    func refused() throws {
        let folder = try TemporaryFolder()
        let daemon = try Daemon(in: folder, "")
        let second = try ChildProcess(
            "nilod", ["--state-dir", folder.path("state"), "--socket", folder.path("t")])
        #expect(second.wait() == 75)
        #expect(second.standardError.contains("in use by process \(daemon.process.pid)"))
        #expect(daemon.stop() == 0)
    }

    @Test("a second daemon does not take the socket of a living one, and does not remove it")
    func socket() throws {
        let (folder, other) = (try TemporaryFolder(), try TemporaryFolder())
        let daemon = try Daemon(in: folder, "")
        let second = try ChildProcess(
            "nilod", ["--state-dir", other.path("state"), "--socket", daemon.socket])
        #expect(second.wait() == 75)
        #expect(second.standardError.contains("a living process listens on the socket \(daemon.socket)"))
        let status = try daemon.connect().call(Control.qualified("GetStatus"), as: Control.GetStatus.Reply.self)
        #expect(status.pid == Int(daemon.process.pid))
        // What a killed one left behind is nobody's.
        daemon.kill()
        let third = try Daemon(in: folder, "")
        #expect(third.stop() == 0)
        #expect(access(third.socket, F_OK) != 0)
    }

    @Test("a daemon that stops leaves a socket alone that lies at its path by now")
    func replacedSocket() throws {
        let folder = try TemporaryFolder()
        let first = try Daemon(in: folder, "")
        // Somebody cleans up too much, and another daemon starts.
        unlink(first.socket)
        let second = try ChildProcess("nilod", ["--state-dir", folder.path("other"), "--socket", first.socket])
        #expect(second.says("ready: "))
        #expect(first.stop() == 0)
        let status = try VarlinkClient(path: first.socket).call(
            Control.qualified("GetStatus"), as: Control.GetStatus.Reply.self)
        #expect(status.pid == Int(second.pid))
        second.signal(SIGTERM)
        #expect(second.wait() == 0)
        #expect(access(first.socket, F_OK) != 0)
    }

    @Test("of a hundred starts at once exactly one becomes the daemon")
    func crowd() throws {
        let folder = try TemporaryFolder()
        let starts = try (0..<100).map { number in
            try ChildProcess("nilod", ["--state-dir", folder.path("state"), "--socket", folder.path("s\(number)")])
        }
        var alive = Array(starts.indices)
        // Every one but the holder ends by itself.
        while alive.count > 1 { alive.removeAll { starts[$0].hasEnded } }
        for (number, start) in starts.enumerated() where !alive.contains(number) { #expect(start.wait() == 75) }
        let one = try #require(alive.first)
        starts[one].signal(SIGTERM)
        #expect(starts[one].wait() == 0)
    }
}
