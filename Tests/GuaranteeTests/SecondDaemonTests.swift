import Glibc
import TestSupport
import Testing

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
