import Foundation
import TestSupport
import Testing

@Suite("The systemd units")
struct UnitFileTests {
    private static let packaging = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "packaging")

    /// The units with a program that is really there.
    private func units() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for name in ["nilod.service", "nilod.socket"] {
            let text = try String(contentsOf: Self.packaging.appending(path: name), encoding: .utf8)
            _ = try folder.write(text.replacing("/usr/local/bin/nilod", with: "/bin/true"), to: name)
        }
        return folder
    }

    @Test("systemd finds nothing to complain about, and the exposure is at most 0.6")
    func analyzed() throws {
        guard let analyze = try Tool.path("systemd-analyze", package: "systemd") else { return }
        let folder = try units()
        let files = [folder.path("nilod.service"), folder.path("nilod.socket")]
        let verified = try ChildProcess(analyze, ["verify"] + files)
        #expect(verified.wait() == 0)
        #expect(verified.standardError == "")
        let secured = try ChildProcess(analyze, ["security", "--offline=true", "--threshold=6", files[0]])
        #expect(secured.wait() == 0, "\(secured.standardOutput.suffix(400))")
    }

    @Test("permissions are decided by the peer's own uid, and the host source sees the machine")
    func kept() throws {
        let text = try String(contentsOf: Self.packaging.appending(path: "nilod.service"), encoding: .utf8)
        for line in [
            "Type=notify", "KillMode=mixed", "DynamicUser=yes", "StateDirectory=nilometer",
            "RestrictAddressFamilies=AF_UNIX",
        ] {
            #expect(text.contains("\n\(line)\n"))
        }
        for line in ["PrivateUsers=", "ProcSubset=", "SystemCallFilter=~@resources"] {
            #expect(!text.contains("\n\(line)"))
        }
        #expect(text.contains("\nWatchdogSec="))
    }
}
