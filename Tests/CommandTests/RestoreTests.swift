import ControlInterface
import Foundation
import TestSupport
import Testing

@Suite("Restoring a backup")
struct RestoreTests {
    private func restore(_ file: String, to folder: String) throws -> (code: Int32, output: String, errors: String) {
        let process = try ChildProcess("nilod", ["restore", file, "--state-dir", folder])
        let code = process.wait()
        return (code, process.standardOutput, process.standardError)
    }

    /// A daemon's folder with readings, and a backup of it.
    private func backup() throws -> (folder: TemporaryFolder, file: String, export: String) {
        let folder = try TemporaryFolder()
        let daemon = try Daemon(in: folder, smooth)
        let readings = try folder.write(lines("1", 0..<300), to: "readings.lp")
        #expect(try Niloctl(daemon.socket, "ingest", readings).code == 0)
        let file = folder.path("monday.db")
        #expect(try Niloctl(daemon.socket, "backup", file).code == 0)
        let export = try Niloctl(daemon.socket, "export", "*").output
        #expect(daemon.stop() == 0)
        return (folder, file, export)
    }

    @Test("a restored backup serves what was backed up, with the folder's modes; a second one is refused")
    func restored() throws {
        let (_, file, export) = try backup()
        let new = try TemporaryFolder()
        let done = try restore(file, to: new.path("state"))
        #expect(done.code == 0, "\(done.errors)")
        #expect(done.output.contains("is restored: 1 series, readings up to journal position 300"))
        let names = try FileManager.default.contentsOfDirectory(atPath: new.path("state"))
        #expect(names == ["nilo.db"])
        let mode = try FileManager.default.attributesOfItem(atPath: new.path("state/nilo.db"))[.posixPermissions]
        #expect(mode as? Int == 0o640)
        let folder = try FileManager.default.attributesOfItem(atPath: new.path("state"))[.posixPermissions]
        #expect(folder as? Int == 0o750)
        let before = try Data(contentsOf: URL(filePath: new.path("state/nilo.db")))
        let again = try restore(file, to: new.path("state"))
        #expect(again.code == 73 && again.errors.contains("expected a folder without a database"), "\(again.errors)")
        #expect(try Data(contentsOf: URL(filePath: new.path("state/nilo.db"))) == before)
        let daemon = try Daemon(in: new, smooth)
        #expect(try Niloctl(daemon.socket, "export", "*").output == export)
        #expect(try Niloctl(daemon.socket, "doctor").code == 0)
        #expect(daemon.stop() == 0)
    }

    @Test(
        "what an older database left, a damaged backup and a missing one are refused, and the folder stays as it was",
        arguments: ["nilo.db-wal", "nilo.db.mark", "damaged", "missing", "cut"])
    func refused(_ trouble: String) throws {
        let (folder, file, _) = try backup()
        let new = try TemporaryFolder()
        let state = new.path("state")
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
        var (source, code, text) = (file, Int32(73), "\(trouble) is there")
        switch trouble {
        case "damaged":
            try Sabotage(file).run("UPDATE series SET key = 'x v'")
            (code, text) = (74, "the table series is damaged")
        case "missing":
            (source, code, text) = (folder.path("none"), 66, "cannot read \(folder.path("none")): No such file")
        case "cut":
            let bytes = try Data(contentsOf: URL(filePath: file))
            try bytes.prefix(bytes.count / 2).write(to: URL(filePath: file))
            (code, text) = (74, "")
        default: try Data([1]).write(to: URL(filePath: "\(state)/\(trouble)"))
        }
        let before = try FileManager.default.contentsOfDirectory(atPath: state)
        let refused = try restore(source, to: state)
        #expect(refused.code == code && (text.isEmpty || refused.errors.contains(text)), "\(refused)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: state) == before)
    }
}
