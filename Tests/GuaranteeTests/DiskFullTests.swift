import ControlInterface
import Foundation
import Glibc
import TestSupport
import Testing
import Varlink

@Suite("Promise 9: a full disk is said loudly, loses nothing and heals")
struct DiskFullTests {
    @Test("on a full disk readings are refused, what was acknowledged stays, and room alone is enough to go on")
    func fullDisk() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path("state"), withIntermediateDirectories: true)
        guard try mount("-t", "tmpfs", "-o", "size=2m", "tmpfs", folder.path("state")) else {
            return print("skipped: a small file system can only be mounted by root")
        }
        defer { umount2(folder.path("state"), Int32(MNT_DETACH)) }
        let daemon = try Daemon(in: folder, Load.configuration)
        var batches = 0
        let refused = #expect(throws: VarlinkError.self) {
            while batches < 2_000 {
                try send(batches, to: daemon)
                batches += 1
            }
        }
        #expect(refused?.name == Control.qualified("Busy"))
        #expect(refused?.text("text")?.contains("the disk is full") ?? false)
        #expect(try status(daemon).storageFull)
        // A series that could not be born is none, not half of one.
        #expect(throws: VarlinkError.self) { try send(batches, to: daemon, measurement: "attic") }
        #expect(try status(daemon).series == 4)
        #expect(try Remains.readings(daemon).count == 400 * batches)
        #expect(try mount("-o", "remount,size=64m", folder.path("state")))
        try send(batches, to: daemon)
        try send(batches, to: daemon, measurement: "attic")
        #expect(try !status(daemon).storageFull)
        daemon.kill()
        let again = try Daemon(in: folder, Load.configuration)
        #expect(try Remains.readings(again).count == 400 * (batches + 2))
        #expect(again.stop() == 0)
    }

    private func send(_ batch: Int, to daemon: Daemon, measurement: String = "room") throws {
        let lines = (0..<400).map {
            "\(measurement),id=\($0 % 4) t=\(batch % 7).5 \(Load.time(slot: batch * 100 + $0 / 4 - 900_000))\n"
        }
        let _: Reply.Ingest = try daemon.call("Ingest", Question.Ingest(text: lines.joined()))
    }

    private func status(_ daemon: Daemon) throws -> Reply.GetStatus { try daemon.call("GetStatus") }

    private func mount(_ arguments: String...) throws -> Bool {
        guard let program = try Tool.path("mount", package: "mount") else { return false }
        return try ChildProcess(program, arguments).wait() == 0
    }
}
