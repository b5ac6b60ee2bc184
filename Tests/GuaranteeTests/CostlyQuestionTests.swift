import ControlInterface
import Foundation
import Glibc
import TestSupport
import Testing
import Varlink

@Suite("Promise: no caller keeps the others waiting", .serialized, .timeLimit(.minutes(5)))
struct CostlyQuestionTests {
    private static let configuration = """
        [[forecaster]]
        name = "house"
        method = "seasonal-naive"
        series = ["s*"]
        horizon = 4
        """

    private static func message(_ method: String, _ parameters: String) -> String {
        #"{"method":"org.nilometer.Control.\#(method)","parameters":{\#(parameters)}}"# + "\0"
    }

    /// What was one message's work for minutes, and what is a lot of it.
    static let questions: [(String, String)] = [
        ("eight million stars", message("ListSeries", #""selector":"\#(String(repeating: "*", count: 8_000_000))z""#)),
        (
            "a selector that nearly matches",
            message("ListSeries", #""selector":"*\#(String(repeating: "s*", count: 30))z""#)
        ),
        (
            "near misses",
            String(
                repeating: message("GetForecast", #""series":"s,id=\#(String(repeating: "x", count: 190)) t""#),
                count: 100)
        ),
        ("a name of a million tags", message("GetForecast", #""series":"s\#(tags) t""#)),
        ("the scores of all", String(repeating: message("GetScores", ""), count: 100)),
        ("all series", String(repeating: message("ListSeries", ""), count: 100)),
        ("damage", String(repeating: message("Examine", ""), count: 100)),
        ("forecasters", String(repeating: message("ListForecasters", ""), count: 1_000)),
    ]

    private static let tags = (0..<1_000_000).map { ",\(String($0, radix: 36))=1" }.joined()

    @Test("four callers with costly questions, who read no answers, keep neither the others waiting nor a stop")
    func costly() throws {
        let daemon = try Daemon(in: TemporaryFolder(), Self.configuration)
        let lines = (0..<20_000).map { "s,id=\($0) t=1 1700000000" }.joined(separator: "\n")
        let _: Control.Ingest.Reply = try daemon.call("Ingest", Control.Ingest.Request(text: lines, precision: "s"))
        for (name, question) in Self.questions {
            let crowd = try (1...4).map { _ in try PipeliningPeer(daemon.socket, question) }
            for round in 0..<3 {
                let caller = try daemon.connect()
                // Far less than the questions took; far more than these take.
                caller.deadline = .now + .seconds(30)
                let status = try caller.call(Control.qualified("GetStatus"), as: Control.GetStatus.Reply.self)
                #expect(status.series >= 20_000, "\(name), round \(round)")
                let question = Control.Ingest.Request(text: "probe t=1 \(1_700_000_000 + round)", precision: "s")
                let receipt = try caller.call(Control.qualified("Ingest"), question, as: Control.Ingest.Reply.self)
                #expect(receipt.accepted == 1, "\(name), round \(round)")
                let found = try caller.call(
                    Control.qualified("ListSeries"), Control.ListSeries.Request(selector: "probe*"),
                    as: Control.ListSeries.Reply.self)
                #expect(found.series.count == 1, "\(name), round \(round)")
            }
            for peer in crowd { peer.hangUp() }
        }
        let crowd = try Self.questions.map { try PipeliningPeer(daemon.socket, $0.1) }
        _ = try daemon.call("GetStatus", as: Control.GetStatus.Reply.self)
        #expect(daemon.stop(within: .seconds(60)) == 0)
        for peer in crowd { peer.hangUp() }
    }
}

/// Sends all it has on a thread of its own and reads nothing.
private final class PipeliningPeer: Sendable {
    // Sending on one thread while another hangs up is what hanging up is for.
    nonisolated(unsafe) private let peer: RawPeer

    init(_ path: String, _ text: String) throws {
        peer = try RawPeer(path)
        let bytes = Array(text.utf8)
        Thread.detachNewThread { [self] in peer.send(bytes) }
    }

    func hangUp() { peer.hangUp() }
}
