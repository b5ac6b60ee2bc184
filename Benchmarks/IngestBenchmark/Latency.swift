import Foundation
import Varlink

/// How long one acknowledged reading takes, in windows that alternate between idle and training.
struct Latency {
    private struct Question: Encodable { var text: String }
    private struct Reply: Decodable { var accepted: Int }

    let nilod: Nilod
    let load: Load
    private let seconds = 6.0

    /// One reading after the other through the control socket for some seconds.
    ///
    /// - Returns: milliseconds, ascending.
    private func window(from slot: Int) throws -> [Double] {
        let client = try VarlinkClient(path: nilod.socket)
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        var took: [Double] = []
        while clock.now < end {
            let id = took.count % load.seriesCount
            let line = String(
                decoding: load.lines(id..<id + 1, slot: slot + took.count / load.seriesCount), as: UTF8.self)
            let start = clock.now
            let reply = try client.call("org.nilometer.Control.Ingest", Question(text: line), as: Reply.self)
            took.append(Double((clock.now - start).components.attoseconds) / 1e15)
            guard reply.accepted == 1 else { throw Failure("a reading was refused") }
        }
        return took.sorted()
    }

    func run(from slot: Int, rounds: Int) throws {
        var results: [(idle: Double, training: Double)] = []
        for round in 0..<rounds {
            let first = slot + round * 2 * 30
            let idle = try window(from: first)
            var training: [Double] = []
            _ = try nilod.train { training = (try? window(from: first + 30)) ?? [] }
            results.append((Self.percentile(idle), Self.percentile(training)))
            print(
                "p99 of \(idle.count) calls idle \(Self.text(results[round].idle)) ms, of \(training.count) calls while training \(Self.text(results[round].training)) ms"
            )
        }
        let (idle, training) = (Self.median(results.map(\.idle)), Self.median(results.map(\.training)))
        print(
            "median p99: idle \(Self.text(idle)) ms, training \(Self.text(training)) ms, allowed \(Self.text(max(1.25 * idle, idle + 5))) ms"
        )
    }

    private static func percentile(_ sorted: [Double]) -> Double {
        sorted.isEmpty ? .nan : sorted[sorted.count * 99 / 100]
    }
    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
    private static func text(_ value: Double) -> String { String(format: "%.2f", value) }
}
