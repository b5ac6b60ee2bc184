/// `JSONBenchmark`: the JSON of the Varlink library beside Foundation's, on the messages that a daemon sees most.
import Foundation
import Varlink

/// What `niloctl ingest` sends.
private struct Ingest: Codable {
    var text: String
    var precision: String?
}

/// What a forecast is answered with.
private struct Forecast: Codable {
    struct Lead: Codable {
        var time: String
        var values: [Float]
    }
    struct Point: Codable {
        var time: String
        var value: Double
    }
    var series: String
    var quantiles: [Double]
    var leads: [Lead]
    var history: [Point]
}

@main
struct JSONBenchmark {
    static func main() throws {
        let lines = (0..<5_000).map { "room,id=\($0 % 1_000) t=\(Double($0 % 97) / 10) 17000000000000\($0)" }
        try measure("ingest, 5,000 lines", Ingest(text: lines.joined(separator: "\n"), precision: nil))
        let leads = (0..<24).map { lead in
            Forecast.Lead(
                time: "2026-01-31T12:00:00.000Z", values: (0..<11).map { Float($0 * 31 + lead).squareRoot() })
        }
        let history = (0..<240).map { Forecast.Point(time: "2026-01-31T12:00:00.000Z", value: Double($0) / 7) }
        try measure(
            "forecast, 24 leads × 11 quantiles, 240 points",
            Forecast(series: "room,id=1 t", quantiles: (1..<12).map { Double($0) / 12 }, leads: leads, history: history)
        )
    }

    private static func measure<Message: Codable>(_ name: String, _ message: Message) throws {
        let bytes = try JSONBytes.encode(message)
        let data = Data(bytes)
        let (encoder, decoder) = (JSONEncoder(), JSONDecoder())
        let decoding = try (
            microseconds { _ = try JSONBytes.decode(Message.self, bytes) },
            microseconds { _ = try decoder.decode(Message.self, from: data) }
        )
        let encoding = try (
            microseconds { _ = try JSONBytes.encode(message) }, microseconds { _ = try encoder.encode(message) }
        )
        for (what, (ours, theirs)) in [("decoded", decoding), ("encoded", encoding)] {
            let ratio = String(format: "%.1f", theirs / ours)
            print("\(name), \(bytes.count) bytes, \(what): \(Int(ours)) µs, Foundation \(Int(theirs)) µs: \(ratio)")
        }
    }

    /// The median of 15 rounds of 100 runs.
    private static func microseconds(_ body: () throws -> Void) rethrows -> Double {
        var rounds: [Double] = []
        for _ in 0..<15 {
            let time = try ContinuousClock().measure { for _ in 0..<100 { try body() } }
            rounds.append(time / .microseconds(100))
        }
        return rounds.sorted()[7]
    }
}
