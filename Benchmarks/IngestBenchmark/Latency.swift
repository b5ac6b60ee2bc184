import Foundation
import Synchronization
import Varlink

/// How long one acknowledged reading takes, in windows that alternate between idle, sealing and training.
///
/// Two daemons, so that only the one that seals seals; the other is idle, and then trains, one run after the other.
struct Latency {
    private struct Question: Encodable { var text: String }
    private struct Reply: Decodable { var accepted: Int }
    private struct Nothing: Encodable {}
    private struct Status: Decodable { var journalReadings: Int }

    private let calm: Nilod
    private let sealing: Nilod
    private let load: Load
    private let seconds: Double
    private let rounds: Int

    private enum Kind: String, CaseIterable { case idle, sealing, training }

    /// - Parameter seconds: of each window; at least 10,000 calls have to fit.
    init(seconds: Double, rounds: Int) throws {
        (self.seconds, self.rounds) = (seconds, rounds)
        // As many slots as two windows of every round can take at ten thousand calls a second.
        let prefix = 160
        load = Load(seriesCount: 500, slots: prefix + 2 * rounds * (Int(seconds * 10_000) / 500 + 1))
        calm = try Nilod(trainingSteps: 4_000)
        sealing = try Nilod(sealAfter: 2_000)
        for nilod in [calm, sealing] { try nilod.prepare(load, slots: prefix) }
        next = [prefix, prefix]
    }

    /// The first slot of the next window: of the calm daemon, of the sealing one.
    private var next: [Int]

    mutating func run() throws {
        var found: [Kind: [Double]] = [:]
        for _ in 0..<rounds {
            for kind in Kind.allCases {
                let (took, sealed) = try window(kind)
                found[kind, default: []].append(Self.percentile(took))
                print(
                    "p99 of \(took.count) calls, \(kind.rawValue): \(Self.text(Self.percentile(took))) ms,",
                    "\(sealed) readings sealed" + (took.count < 10_000 ? " (too few calls: 10,000 are wanted)" : ""))
                // A run takes a quarter of an hour, and its output may go to a file.
                fflush(nil)
            }
        }
        let medians = found.mapValues(Self.median)
        let idle = medians[.idle] ?? .nan
        for kind in [Kind.sealing, .training] {
            let (allowed, median) = (max(1.25 * idle, idle + 5), medians[kind] ?? .nan)
            let verdict = median <= allowed ? "met" : "missed"
            print(
                "median p99 of \(rounds) windows of \(Int(seconds)) s: idle \(Self.text(idle)) ms,",
                "\(kind.rawValue) \(Self.text(median)) ms, allowed \(Self.text(allowed)) ms: \(verdict)")
        }
    }

    /// - Returns: what each call took, ascending, and how many readings left the journal meanwhile.
    private mutating func window(_ kind: Kind) throws -> (took: [Double], sealed: Int) {
        let (place, nilod) = kind == .sealing ? (1, sealing) : (0, calm)
        let isOver = Flag()
        let trained = DispatchGroup()
        if kind == .training {
            let started = DispatchSemaphore(value: 0)
            DispatchQueue.global().async(group: trained) { [socket = calm.socket] in
                repeat { _ = try? Nilod.train(socket) { started.signal() } } while !isOver.isSet
            }
            started.wait()
        }
        let before = try Self.journal(nilod)
        let took = try calls(to: nilod, from: next[place])
        isOver.set()
        trained.wait()
        next[place] += took.count / load.seriesCount + 1
        return (took.sorted(), before + took.count - (try Self.journal(nilod)))
    }

    private static func journal(_ nilod: Nilod) throws -> Int {
        let client = try VarlinkClient(path: nilod.socket)
        return try client.call("org.nilometer.Control.GetStatus", Nothing(), as: Status.self).journalReadings
    }

    /// One reading after the other through the control socket.
    ///
    /// - Returns: milliseconds of each call.
    private func calls(to nilod: Nilod, from slot: Int) throws -> [Double] {
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
            took.append((clock.now - start) / .milliseconds(1))
            guard reply.accepted == 1 else { throw Failure("a reading was refused") }
        }
        return took
    }

    private static func percentile(_ sorted: [Double]) -> Double {
        sorted.isEmpty ? .nan : sorted[sorted.count * 99 / 100]
    }
    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
    private static func text(_ value: Double) -> String { String(format: "%.2f", value) }
}

/// Set once, by one thread, and seen by another.
private final class Flag: Sendable {
    private let state = Mutex(false)
    var isSet: Bool { state.withLock { $0 } }
    func set() { state.withLock { $0 = true } }
}
