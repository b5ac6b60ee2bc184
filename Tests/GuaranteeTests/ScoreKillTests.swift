import ControlInterface
import Foundation
import TestSupport
import Testing

@Suite("Promise: scores are as exact as states")
struct ScoreKillTests {
    private static let configuration = """
        shards = 1

        [[series]]
        select = "*"
        cadence = "1s"
        lateness = "5s"

        [[forecaster]]
        name = "house"
        method = "seasonal-naive"
        series = ["*"]
        horizon = 2
        """

    /// More than one commit takes along when their blocks end together.
    private static let series = 700
    private static let start = (Int(Date().timeIntervalSince1970) - 4_000) / 96 * 96

    private static func lines(_ slot: Int) -> String {
        (0..<series).map { "room,id=\($0) t=\(slot * 7_919 % 97 + $0 % 5) \(start + slot)" }.joined(separator: "\n")
    }

    /// What each series' forecasts were worth, in words.
    private static func scores(_ daemon: Daemon) throws -> [String] {
        let reply: Control.GetScores.Reply = try daemon.call("GetScores", Control.GetScores.Request(selector: nil))
        return reply.series.map { series in
            "\(series.series): "
                + series.scores.map { "\($0.lead) \($0.truths) \($0.pinball) \($0.mase)" }.joined(separator: ", ")
        }
    }

    @Test("kills at once after acknowledgements, when the blocks of many series have just ended, cost no truth")
    func kills() throws {
        let folders = try (0..<2).map { _ in try TemporaryFolder() }
        let quiet = try Daemon(in: folders[0], Self.configuration)
        var killed = try Daemon(in: folders[1], Self.configuration)
        var slot = 0
        for count in [90, 5, 3, 2, 4, 100, 1, 3, 9, 110, 20] {
            let question = Control.Ingest.Request(
                text: (slot..<slot + count).map { Self.lines($0) }.joined(separator: "\n"), precision: "s")
            for daemon in [quiet, killed] {
                let reply: Control.Ingest.Reply = try daemon.call("Ingest", question)
                #expect(reply.accepted == Self.series * count)
            }
            slot += count
            killed.kill()
            killed = try Daemon(in: folders[1], Self.configuration)
        }
        let expected = try Self.scores(quiet)
        #expect(expected.count == Self.series)
        #expect(try Self.scores(killed) == expected)
        quiet.kill()
        let again = try Daemon(in: folders[0], Self.configuration)
        #expect(try Self.scores(again) == expected)
        for daemon in [again, killed] { #expect(daemon.stop() == 0) }
    }

    @Test("truths never become fewer while readings come, and adjoining ranges add up")
    func steady() throws {
        let daemon = try Daemon(in: TemporaryFolder(), Self.configuration)
        func truths(_ question: Control.GetScores.Request = Control.GetScores.Request(selector: nil)) throws -> Int {
            let reply: Control.GetScores.Reply = try daemon.call("GetScores", question)
            return reply.series.reduce(0) { $0 + ($1.scores.first?.truths ?? 0) }
        }
        var before = 0
        for slot in 0..<300 {
            let text = "room t=\(slot % 17) \(Self.start + slot)"
            let _: Control.Ingest.Reply = try daemon.call("Ingest", Control.Ingest.Request(text: text, precision: "s"))
            let now = try truths()
            #expect(now >= before, "slot \(slot)")
            before = now
        }
        #expect(before > 280)
        for slot in [10, 96, 150, 191, 192, 250] {
            let time = (Self.start + slot) * 1_000_000_000
            let (first, rest) = (
                Control.GetScores.Request(selector: nil, start: nil, end: "\(time)"),
                Control.GetScores.Request(selector: nil, start: "\(time + 1)", end: nil)
            )
            #expect(try truths(first) + truths(rest) == before, "slot \(slot)")
        }
        #expect(daemon.stop() == 0)
    }
}
