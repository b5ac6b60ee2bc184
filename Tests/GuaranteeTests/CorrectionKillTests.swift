import ControlInterface
import Foundation
import TestSupport
import Testing
import Varlink

@Suite("Corrections of every age last, however a daemon seals and dies")
struct CorrectionKillTests {
    /// By series and time, the value that came last, as an export writes it.
    private typealias Readings = [String: String]

    /// Some readings of a few series, most of them corrections, none of them of the present.
    private static func batch(_ dice: inout SeededGenerator) -> (text: String, readings: Readings) {
        var (text, readings): (String, Readings) = ("", [:])
        for _ in 0..<Int.random(in: 1...40, using: &dice) {
            let key = "room,id=\(Int.random(in: 0..<4, using: &dice))"
            let time = Load.time(slot: .random(in: 0..<200, using: &dice))
            let value = "\(Int.random(in: 0..<100, using: &dice)).5"
            text += "\(key) t=\(value) \(time)\n"
            readings["\(key) \(time)"] = value
        }
        return (text, readings)
    }

    /// The state after a warm reset, which is made of what the database holds.
    private static func warmed(_ daemon: Daemon) throws -> [String] {
        for name in Load.names {
            let _: Control.Reset.Reply = try daemon.call(
                "Reset", Control.Reset.Request(series: "room,id=\(name) t", warm: true))
        }
        return try Remains(daemon).states
    }

    @Test(
        "ten lives that end by kill -9: after each, exports show what was acknowledged; states are those of these readings alone",
        arguments: 1...2 as ClosedRange<UInt64>)
    func kills(seed: UInt64) throws {
        var dice = SeededGenerator(seed)
        let folder = try TemporaryFolder()
        var (expected, underWay): (Readings, Readings) = ([:], [:])
        for life in 0..<10 {
            let daemon = try Daemon(in: folder, Load.configuration)
            let found = try Remains.readings(daemon)
            let withLast = expected.merging(underWay) { $1 }
            #expect(found == expected || found == withLast, "seed \(seed), life \(life)")
            expected = found
            var left = Int.random(in: 0..<25, using: &dice)
            while true {
                let batch = Self.batch(&dice)
                underWay = batch.readings
                if left == 0 {
                    let process = daemon.process
                    Thread.detachNewThread { process.kill() }
                }
                left -= 1
                do {
                    let reply: Control.Ingest.Reply = try daemon.call(
                        "Ingest", Control.Ingest.Request(text: batch.text))
                    #expect(reply.refused == 0)
                    expected.merge(batch.readings) { $1 }
                } catch is ConnectionError { break }
            }
            #expect(daemon.process.wait() == 128 + SIGKILL)
        }
        let daemon = try Daemon(in: folder, Load.configuration)
        let found = try Remains.readings(daemon)
        let states = try Self.warmed(daemon)
        #expect(daemon.stop() == 0)
        let fresh = try Daemon(in: try TemporaryFolder(), Load.configuration)
        func time(_ key: String) -> Int { Int(key.split(separator: " ")[1]) ?? 0 }
        let lines = found.sorted { time($0.key) < time($1.key) }.map { key, value in
            "\(key.split(separator: " ")[0]) t=\(value) \(time(key))\n"
        }
        let _: Control.Ingest.Reply = try fresh.call("Ingest", Control.Ingest.Request(text: lines.joined()))
        #expect(try Remains.readings(fresh) == found)
        #expect(try Self.warmed(fresh) == states)
        #expect(fresh.stop() == 0)
    }
}
