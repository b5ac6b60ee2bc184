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
            return skip("a small file system can only be mounted by root")
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
        #expect(try daemon.process.lines(with: "the disk is full: readings are refused").count == 1)
        #expect(try daemon.process.lines(with: "there is room on the disk again").count == 1)
        daemon.kill()
        let again = try Daemon(in: folder, Load.configuration)
        #expect(try Remains.readings(again).count == 400 * (batches + 2))
        #expect(again.stop() == 0)
    }

    /// A folder whose `state` is a small file system; nil with the reason printed.
    private func smallDisk(_ megabytes: Int) throws -> TemporaryFolder? {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path("state"), withIntermediateDirectories: true)
        if try mount("-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", folder.path("state")) { return folder }
        skip("a small file system can only be mounted by root")
        return nil
    }

    /// Takes all the room there is.
    private func fill(_ folder: TemporaryFolder) throws {
        guard let file = fopen(folder.path("state/filler"), "a") else { throw TestError("no filler") }
        defer { fclose(file) }
        setvbuf(file, nil, _IONBF, 0)
        let zeros = [UInt8](repeating: 0, count: 4_096)
        while fwrite(zeros, 1, zeros.count, file) == zeros.count {}
    }

    @Test("a start without a byte left serves what is there, after a kill and after a stop, and heals")
    func start() throws {
        guard let folder = try smallDisk(16) else { return }
        defer { umount2(folder.path("state"), Int32(MNT_DETACH)) }
        var daemon = try Daemon(in: folder, Load.configuration)
        for batch in 0..<10 { try send(batch, to: daemon) }
        for (hasRoom, isKilled) in [(false, true), (false, false), (true, false), (true, true), (true, false)] {
            // A stop that has room leaves an empty log, and the next start has to begin one.
            if hasRoom { unlink(folder.path("state/filler")) } else { try fill(folder) }
            if isKilled { daemon.kill() } else { #expect(daemon.stop() == 0) }
            try fill(folder)
            daemon = try Daemon(in: folder, Load.configuration)
            #expect(try Remains.readings(daemon).count == 4_000)
            let forecast: Control.GetForecast.Reply = try daemon.call(
                "GetForecast", Control.GetForecast.Request(series: "room,id=1 t"))
            #expect(!forecast.forecast.leads.isEmpty)
        }
        unlink(folder.path("state/filler"))
        try send(10, to: daemon)
        #expect(try Remains.readings(daemon).count == 4_400)
        #expect(daemon.stop() == 0)
    }

    @Test("on a full disk a training and a backup say that there is no room, in plain words, and leave nothing behind")
    func training() throws {
        guard let folder = try smallDisk(16) else { return }
        defer { umount2(folder.path("state"), Int32(MNT_DETACH)) }
        let daemon = try Daemon(in: folder, Load.configuration)
        let _: Control.Ingest.Reply = try daemon.call("Ingest", Control.Ingest.Request(text: Load.lines(0..<300)))
        try fill(folder)
        var last: Control.Retrain.Reply?
        let question = Control.Retrain.Request(forecaster: "house")
        try daemon.connect().stream(Control.qualified("Retrain"), question, as: Control.Retrain.Reply.self) { event in
            last = event
            return true
        }
        let text = try #require(last?.text)
        #expect(text.contains("no space left") && !text.contains("NSCocoa"), "\(text)")
        let refused = #expect(throws: VarlinkError.self) {
            try daemon.connect().stream(Control.qualified("Backup"), as: Control.Backup.Reply.self) { _ in true }
        }
        #expect(refused?.text("text")?.contains("no space left") == true, "\(String(describing: refused))")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("state"))
        #expect(!names.contains { $0.hasPrefix("backup-") }, "\(names)")
        let runs = try? FileManager.default.contentsOfDirectory(atPath: folder.path("state/training"))
        #expect((runs ?? []).isEmpty)
        #expect(daemon.stop() == 0)
    }

    private func send(_ batch: Int, to daemon: Daemon, measurement: String = "room") throws {
        let lines = (0..<400).map {
            "\(measurement),id=\($0 % 4) t=\(batch % 7).5 \(Load.time(slot: batch * 100 + $0 / 4 - 900_000))\n"
        }
        let _: Control.Ingest.Reply = try daemon.call("Ingest", Control.Ingest.Request(text: lines.joined()))
    }

    private func status(_ daemon: Daemon) throws -> Control.GetStatus.Reply { try daemon.call("GetStatus") }

    private func mount(_ arguments: String...) throws -> Bool {
        guard let program = try Tool.path("mount", package: "mount") else { return false }
        return try ChildProcess(program, arguments).wait() == 0
    }
}
