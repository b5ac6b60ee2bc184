import Foundation
import Glibc
import TestSupport
import Testing

@Suite("niloctl ingest of a long file")
struct IngestTests {
    private let folder: TemporaryFolder
    private let file: String
    private static let count = 30_000

    /// Three pieces: every other line has no timestamp.
    init() throws {
        folder = try TemporaryFolder()
        let lines = (0..<Self.count).map { number in
            let time = number % 2 == 0 ? " \((1_750_000_000 + number) * 1_000_000_000)" : ""
            return "room,id=a\(number % 16)-a-name-that-makes-a-line-longer t=\(number % 7)\(time)\n"
        }
        file = try folder.write(lines.joined(), to: "readings.lp")
    }

    /// A resent reading is late when its series has gone on for longer than the lateness.
    private static let patient = "[[series]]\nselect = \"*\"\ncadence = \"1s\"\nlateness = \"30d\"\n"

    /// Dies when the second piece is on disk, before it says so.
    private func dyingDaemon() throws -> Daemon {
        try Daemon(in: folder, Self.patient, environment: ["NILOMETER_FAILPOINT": "committed=2"])
    }

    private func ingest(_ arguments: String...) throws -> ChildProcess {
        try ChildProcess(
            "niloctl", ["ingest", "--socket", folder.path("s")] + arguments,
            environment: ["XDG_STATE_HOME": folder.path("home")])
    }

    private func stored() throws -> Int {
        try Niloctl(folder.path("s"), "export", "*").output.split(separator: "\n").count - 1
    }

    @Test("while the daemon restarts it waits, sends again what was not acknowledged, and every line counts once")
    func restart() throws {
        let first = try dyingDaemon()
        let sending = try ingest(file)
        #expect(sending.says("the daemon is unreachable"))
        #expect(first.process.wait() == 128 + SIGKILL)
        let second = try Daemon(in: folder, Self.patient)
        #expect(sending.wait() == 0, "\(sending.standardError)")
        #expect(sending.standardOutput == "accepted 30000 (0 late), refused 0, skipped 0 text fields\n")
        #expect(try stored() == Self.count)
        #expect(second.stop() == 0)
    }

    @Test("a line too long for a message is refused by its number, and its neighbours are sent")
    func longLine() throws {
        let daemon = try Daemon(in: folder, Self.patient)
        let long = "room,id=" + String(repeating: "x", count: 9_000_000) + " t=1 1750000000000000000"
        let name = "room,id=" + String(repeating: "y", count: 70_000) + " t=1 1750000000000000000"
        let lines = ["room t=1 1750000000000000000", long, "room t=2 1750000001000000000", name, long]
        let sending = try ingest(try folder.write(lines.joined(separator: "\n"), to: "long.lp"))
        _ = sending.wait()
        #expect(sending.standardOutput.hasPrefix("accepted 2 (0 late), refused 3"), "\(sending.standardOutput)")
        for (line, text) in [(2, "expected at most"), (4, "more than 65536 bytes"), (5, "expected at most")] {
            #expect(sending.standardError.contains("\(line):1: "))
            #expect(sending.standardError.contains(text))
        }
        #expect(sending.standardError.utf8.count < 3_000)
        #expect(daemon.stop() == 0)
    }

    @Test("interrupted it says how to go on; --resume does, with the same timestamps, and the counts are of all")
    func resume() throws {
        #expect(try ingest("--resume", file).wait() == 66)
        let first = try dyingDaemon()
        let sending = try ingest(file)
        #expect(sending.says("the daemon is unreachable"))
        sending.signal(SIGINT)
        #expect(sending.wait() == 130)
        #expect(sending.standardError.contains("resume with: niloctl ingest --resume '\(file)'"))
        #expect(first.process.wait() == 128 + SIGKILL)
        let second = try Daemon(in: folder, Self.patient)
        #expect(try ingest("--resume", "--precision", "s", file).wait() == 64)
        let rest = try ingest("--resume", file)
        #expect(rest.wait() == 0, "\(rest.standardError)")
        #expect(rest.standardOutput == "accepted 30000 (0 late), refused 0, skipped 0 text fields\n")
        #expect(try stored() == Self.count)
        // Done is done.
        #expect(try ingest("--resume", file).wait() == 66)
        #expect(second.stop() == 0)
    }

    @Test("a daemon that does not have the beginning is not gone on with")
    func anotherDaemon() throws {
        let first = try dyingDaemon()
        let sending = try ingest(file)
        #expect(sending.says("the daemon is unreachable"))
        sending.signal(SIGINT)
        #expect(sending.wait() == 130)
        first.process.wait()
        try FileManager.default.removeItem(atPath: folder.path("state"))
        let second = try Daemon(in: folder, Self.patient)
        let refused = try ingest("--resume", file)
        #expect(refused.wait() == 65)
        #expect(refused.standardError.contains("it is another one, or its database was replaced"))
        let whole = try ingest(file)
        #expect(whole.wait() == 0)
        #expect(try stored() == Self.count)
        #expect(second.stop() == 0)
    }

    @Test("a file that has changed is not gone on with", arguments: ["t=3", "r"])
    func changed(_ old: String) throws {
        let first = try dyingDaemon()
        let sending = try ingest(file)
        #expect(sending.says("the daemon is unreachable"))
        sending.signal(SIGTERM)
        #expect(sending.wait() == 130)
        first.process.wait()
        let text = try String(contentsOfFile: file, encoding: .utf8)
        // Everywhere, or in its first byte alone.
        let new = old == "r" ? "R" + text.dropFirst() : text.replacing(old, with: "t=4")
        try new.write(toFile: file, atomically: false, encoding: .utf8)
        let second = try Daemon(in: folder, Self.patient)
        let refused = try ingest("--resume", file)
        #expect(refused.wait() == 65)
        #expect(refused.standardError.contains("has changed"))
        #expect(second.stop() == 0)
    }

    @Test("a line from a pipe is acknowledged before the next one comes, and a person sees how far it is")
    func pipe() throws {
        let daemon = try Daemon(in: folder, Self.patient)
        guard let script = try Tool.path("script", package: "bsdutils") else { return }
        let fifo = folder.path("fifo")
        #expect(mkfifo(fifo, 0o600) == 0)
        let niloctl = ChildProcess.path(of: "niloctl")
        let command = "\(niloctl) ingest --socket \(daemon.socket) - < \(fifo)"
        let sending = try ChildProcess(script, ["-qec", command, "/dev/null"])
        let writer = try FileHandle(forWritingTo: URL(filePath: fifo))
        try writer.write(contentsOf: Data("room t=1\n".utf8))
        while try stored() < 1 {}
        try writer.write(contentsOf: Data("room t=2".utf8))
        try writer.close()
        #expect(sending.wait() == 0)
        #expect(sending.standardOutput.contains("1 readings, "))
        #expect(sending.standardOutput.contains("accepted 2 (0 late)"))
        #expect(daemon.stop() == 0)
    }
}
