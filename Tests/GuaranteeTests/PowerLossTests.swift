import ControlInterface
import Foundation
import Storage
import TestSupport
import Testing
import TimeSeries

@Suite("Promise 1: an acknowledged reading survives power loss")
struct PowerLossTests {
    @Test("a power cut after any acknowledgement leaves every acknowledged reading, whatever the disk kept of the rest")
    func cuts() throws {
        let folder = try TemporaryFolder()
        guard let environment = try WriteTrace.recorder(in: folder) else { return }
        let acknowledged = try record(folder, environment)
        let trace = try WriteTrace(path: folder.path("trace"))
        var disk = SimulatedDisk()
        var dice = SeededGenerator(14)
        var next = 0
        for (index, event) in trace.events.enumerated() {
            disk.apply(event)
            while next < acknowledged.count, trace.ends[index] >= acknowledged[next].traced {
                // Every cut would take long; these are spread over the whole trace.
                if next % 9 == 0 || next + 1 == acknowledged.count {
                    try check(disk, acknowledged[next].readings) { _ in 0 }
                    try check(disk, acknowledged[next].readings) { length in
                        Bool.random(using: &dice) ? 0 : Int.random(in: 0...length / 512, using: &dice) * 512
                    }
                }
                next += 1
            }
        }
        #expect(next == acknowledged.count)
        #expect(trace.syncs(of: "nilo.db") > 1, "the log was never moved into the database; feed more")
        print("power loss: \(acknowledged.count) acknowledgements, \(trace.events.count) events")
    }

    /// Feeds a daemon and notes how long the trace was when each acknowledgement had come.
    private func record(
        _ folder: TemporaryFolder, _ environment: [String: String]
    ) throws -> [(traced: Int, readings: Int)] {
        let daemon = try Daemon(in: folder, Load.configuration, environment: environment)
        var acknowledged: [(traced: Int, readings: Int)] = []
        for batch in 0..<240 {
            let lines = (0..<120).map {
                "room,id=\($0 % 4) t=\(batch % 17).5 \(Load.time(slot: batch * 30 + $0 / 4 - 8_000))\n"
            }
            let reply: Control.Ingest.Reply = try daemon.call("Ingest", Control.Ingest.Request(text: lines.joined()))
            #expect(reply.accepted == 120)
            let size = try FileManager.default.attributesOfItem(atPath: folder.path("trace"))[.size] as? Int
            acknowledged.append((size ?? 0, 120 * (batch + 1)))
        }
        #expect(daemon.stop() == 0)
        return acknowledged
    }

    private func check(_ disk: SimulatedDisk, _ readings: Int, survives: (Int) -> Int) throws {
        let copy = try TemporaryFolder()
        try disk.cut(into: copy.url.path, survives: survives)
        let store = try Store(path: copy.path("nilo.db"))
        let series = try store.series().map { ($0.id, Timestamp.distantPast) }
        let found = try store.readings(of: Dictionary(uniqueKeysWithValues: series))
        #expect(found.values.reduce(0) { $0 + $1.count } >= readings)
        try store.close()
    }
}
