import Foundation
import TestSupport
import Testing

/// A real nilod of root's, and niloctl started as somebody else.
@Suite(
    .serialized, .timeLimit(.minutes(10)),
    .enabled(
        if: getuid() == 0 && access("/usr/bin/setpriv", X_OK) == 0 && getgrnam("users") != nil,
        "needs root, setpriv (Debian: util-linux) and the group users"))
struct PermissionTests {
    private static let nobody = ["--reuid=65534"]

    @Test(
        "whoever may open the socket may read; only the owner and the group may change things",
        arguments: [
            ("a stranger", nobody + ["--regid=65534", "--clear-groups"], 77),
            ("a stranger with other groups", nobody + ["--regid=65534", "--groups=1,2,3"], 77),
            ("one of the group", nobody + ["--regid=65534", "--groups=1,users,2"], 0),
            ("one whose primary group it is", nobody + ["--regid=users", "--clear-groups"], 0),
            ("the owner", ["--clear-groups"], 0),
        ] as [(String, [String], Int32)])
    func permissions(who: String, identity: [String], changing: Int32) async throws {
        try await blocking {
            let folder = try TemporaryFolder()
            let daemon = try Daemon(in: folder, "group = \"users\"\n")
            chmod(daemon.socket, 0o666)
            // Where the build lies may be closed to others. Copied by another process: a child that some other test starts
            // meanwhile would inherit the open file, and a program that is open for writing cannot be run.
            let niloctl = folder.path("niloctl")
            #expect(try ChildProcess("/bin/cp", [ChildProcess.path(of: "niloctl"), niloctl]).wait() == 0)
            func run(_ verb: String...) throws -> Int32 {
                let command = [niloctl] + verb + ["--socket", daemon.socket]
                return try ChildProcess("/usr/bin/env", ["--chdir=/", "setpriv"] + identity + command).wait()
            }
            #expect(try run("status") == 0, "\(who) reads")
            #expect(try run("series") == 0, "\(who) reads")
            #expect(try run("reload") == changing, "\(who) changes")
        }
    }
}
