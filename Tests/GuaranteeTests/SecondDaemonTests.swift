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
}
