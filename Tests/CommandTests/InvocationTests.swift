import Foundation
import Glibc
import TestSupport
import Testing

@Suite("The command line")
struct InvocationTests {
    @Test("is heard where there is no /proc", arguments: ["nilod", "niloctl"])
    func withoutProc(_ program: String) throws {
        guard getuid() == 0, let unshare = try Tool.path("unshare", package: "util-linux") else {
            return skip("only root can do without /proc")
        }
        let script = "umount -l /proc && exec \"$@\""
        let child = try ChildProcess(
            unshare, ["-m", "sh", "-c", script, "sh", ChildProcess.path(of: program), "--help"])
        #expect(child.ends(within: .seconds(60)))
        child.kill()
        #expect(child.wait() == 0)
        #expect(child.standardOutput.contains("USAGE: \(program)"), "\(child.standardError)")
    }

    @Test("nothing, an unknown first word and an empty path are refused with what would be right, exit code 64")
    func refused() throws {
        let folder = try TemporaryFolder()
        let cases: [(String, [String], String)] = [
            ("nilod", [], "expected a command, such as `nilod run`"), ("niloctl", [], "expected a verb"),
            ("nilod", ["rum"], "there is no command \"rum\"; did you mean \"run\"?"),
            ("nilod", [""], "there is no command \"\""), ("niloctl", [""], "there is no verb \"\""),
            ("nilod", ["run", "away"], "away"), ("nilod", ["--state-dir", ""], "--state-dir expects a path"),
            ("nilod", ["--socket="], "'--socket <socket>'"),
            ("nilod", ["--config", ""], "--config expects a path"),
            ("niloctl", ["status", "--socket", ""], "--socket expects a path"),
        ]
        for (program, arguments, text) in cases {
            // Should it start all the same, then where nothing is lost.
            let environment = ["STATE_DIRECTORY": folder.path("state"), "NILOMETER_SOCKET": folder.path("s")]
            let child = try ChildProcess(program, arguments, environment: environment)
            #expect(child.ends(within: .seconds(60)), "\(program) \(arguments)")
            child.kill()
            #expect(child.wait() == 64, "\(program) \(arguments)")
            #expect(child.standardError.contains(text), "\(program) \(arguments): \(child.standardError)")
        }
    }
}
