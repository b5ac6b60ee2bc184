import ControlInterface
import Foundation
import TestSupport
import Testing
import Varlink

/// A real nilod. A call alone on its connection may be answered at once; one right behind another that is not is answered
/// in its turn, as every call was before there was another way.
@Suite(.serialized, .timeLimit(.minutes(10))) struct QuickForecastTests {
    private static let configuration = """
        [[series]]
        select = "*"
        cadence = "1m"

        [[forecaster]]
        name = "smooth"
        method = "holt-winters"
        horizon = 24
        """

    private static func call(_ method: String, _ parameters: String) -> String {
        #"{"method":"org.nilometer.Control.\#(method)","parameters":\#(parameters)}"# + "\0"
    }

    private struct ErrorReply: Decodable, Hashable {
        var error: String
        var parameters: [String: JSONValue]
    }

    /// A daemon with two series: `id=1` up to now, and `id=old`, which has been silent since 2025.
    private static func makeDaemon() throws -> Daemon {
        let daemon = try Daemon(in: TemporaryFolder(), configuration)
        let minute = Int64(Date.now.timeIntervalSince1970) / 60
        let lines = (Int64(0)..<300).map { slot in
            let (now, old) = ((minute - 299 + slot) * 60, (29_000_000 + slot) * 60)
            return "room,id=1 t=\(20 + slot % 7).25 \(now)\nroom,id=old t=\(slot % 5) \(old)\n"
        }
        let question = Control.Ingest.Request(text: lines.joined(), precision: "s")
        #expect(try daemon.call("Ingest", question, as: Control.Ingest.Reply.self).accepted == 600)
        return daemon
    }

    @Test(
        "a reply that is given at once is that of the ordinary way, to the byte",
        arguments: [
            #"{"series":"room,id=1 t"}"#, #"{"series":"room,id=1 t","history":0}"#,
            #"{"series":"room,id=1 t","history":7}"#, #"{"history":1000,"series":"room,id=1 t"}"#,
            #"{"series":"room,id=1 t","history":null}"#, #"{"series":"room,id=1 t","history":-1}"#,
            #"{"series":"room,id=1 t","hist":1}"#, #"{"series":"room,id=2 t"}"#, #"{"series":"rom,id=1 t"}"#,
            #"{"series":"room,id=old t"}"#, #"{}"#, "[]",
        ])
    func sameReply(parameters: String) async throws {
        try await blocking {
            let daemon = try Self.makeDaemon()
            let forecast = Self.call("GetForecast", parameters)
            // Behind a call that is not answered at once; it also puts the forecast where it is told at once from then on.
            let inTurn = try RawPeer(daemon.socket)
            inTurn.send(Self.call("ListSeries", "{}") + forecast + forecast)
            let expected = Array(inTurn.receive(3).dropFirst())
            let alone = try RawPeer(daemon.socket)
            let atOnce = (0..<3).flatMap { _ in
                alone.send(forecast)
                return alone.receive(1)
            }
            // A minute may begin in between, which the replies of a silent series tell.
            let replies = expected + atOnce
            guard !parameters.contains("old") else {
                let all = replies.map { $0.contains(#""stale":true"#) && $0.contains("room,id=old t") }
                #expect(all == [true, true, true, true, true])
                return
            }
            guard replies.allSatisfy({ $0.hasPrefix(#"{"parameters""#) }) else {
                // The parameters of an error have no order.
                let errors = try replies.map { try JSONDecoder().decode(ErrorReply.self, from: Data($0.utf8)) }
                #expect(errors.count == 5 && Set(errors).count == 1)
                return
            }
            #expect(replies.count == 5 && Set(replies).count == 1)
        }
    }

    @Test("a forecast that is read after a reading was acknowledged has seen it, and so has what explains it")
    func readsWhatWasWritten() async throws {
        try await blocking {
            let daemon = try Self.makeDaemon()
            let series = "room,id=1 t"
            let minute = Int64(Date.now.timeIntervalSince1970) / 60
            for step in 1...50 {
                let line = "room,id=1 t=\(step).5 \(minute * 60 + Int64(step % 3 == 0 ? -60 : 0))"
                _ = try daemon.call(
                    "Ingest", Control.Ingest.Request(text: line, precision: "s"), as: Control.Ingest.Reply.self)
                for _ in 0..<3 {
                    let forecast = try daemon.call(
                        "GetForecast", Control.GetForecast.Request(series: series, history: 2),
                        as: Control.GetForecast.Reply.self
                    ).forecast
                    let point = step % 3 == 0 ? forecast.history.first : forecast.history.last
                    #expect(point?.value.truncatingRemainder(dividingBy: 1) != 0)
                }
                let explained = try daemon.call(
                    "Explain", Control.Explain.Request(series: series), as: Control.Explain.Reply.self)
                #expect(explained.series == series)
            }
        }
    }

    @Test("every watcher of an event gets the same bytes: those of the forecast with its newest point")
    func watchers() async throws {
        try await blocking {
            let daemon = try Self.makeDaemon()
            // Every step over what is there has been taken, and told.
            let before = Control.GetForecast.Request(series: "room,id=1 t")
            _ = try daemon.call("GetForecast", before, as: Control.GetForecast.Reply.self)
            let watchers = try (0..<5).map { _ in try RawPeer(daemon.socket) }
            for watcher in watchers {
                let more = Self.call("Watch", #"{"selector":"room,id=1 t"}"#).replacing(
                    "}}\0", with: #"},"more":true}"# + "\0")
                watcher.send(more)
            }
            while try daemon.call("GetStatus", as: Control.GetStatus.Reply.self).watchers < watchers.count {}
            let minute = Int64(Date.now.timeIntervalSince1970) / 60
            let question = Control.Ingest.Request(text: "room,id=1 t=99.5 \(minute * 60)", precision: "s")
            _ = try daemon.call("Ingest", question, as: Control.Ingest.Reply.self)
            let frames = watchers.map { $0.receive(1).first ?? "" }
            let asked = try RawPeer(daemon.socket)
            asked.send(Self.call("GetForecast", #"{"series":"room,id=1 t","history":1}"#))
            let reply = try #require(asked.receive(1).first)
            #expect(frames == Array(repeating: "\(reply.dropLast(1)),\"continues\":true}", count: watchers.count))
        }
    }
}
