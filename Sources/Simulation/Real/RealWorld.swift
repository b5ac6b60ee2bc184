import Basics
import Engine
import Forecasting
import Glibc
import TimeSeries

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A world around a real daemon: real threads, a real file, a real socket and `kill -9`, and the same senders and the
/// same oracle as in simulated worlds.
///
/// Operations that need the simulator's disk, clock or plugin are left out. The world's time lies in the past, so that
/// the machine's clock, which nobody sets, is never behind a sender's.
public final class RealWorld {
    private let plan: Plan
    private let program: String
    let folder: String
    var settings: WorldSettings
    var oracle = Oracle()
    private var senders: [Sender] = []
    var daemon: RealDaemon?
    private var now: Timestamp
    private let end: Timestamp
    private var current = 0
    var failure: Failure?
    var models: [Int64: (model: ServedModel, specification: ForecastSpecification)] = [:]
    /// What happened, for a summary.
    public internal(set) var counts: [String: Int] = [:]

    /// - Parameters:
    ///   - program: the path of `nilod`.
    ///   - folder: an empty folder for its files.
    public init(_ plan: Plan, program: String, folder: URL) {
        (self.plan, self.program, self.folder) = (plan, program, folder.path)
        var random = Random(seed: plan.seed ^ 0x5EED)
        settings = WorldSettings(&random)
        settings.timeZone = "UTC"
        for index in settings.groups.indices { settings.groups[index].rule.retention = nil }
        end = SystemClock().now
        now = end.advanced(byNanoseconds: -300 * 86_400 * WorldSettings.second)
        let names = (0..<random.logarithmic(3...60)).map { WorldSettings.name(group: $0 % settings.groups.count, $0) }
        senders = (0..<min(3, names.count)).map { part in
            Sender(names: names.indices.filter { $0 % 3 == part }.map { names[$0] })
        }
    }

    /// Lets everything in the plan happen.
    ///
    /// - Returns: the first broken promise; nil if none was.
    public func run() -> Failure? {
        start()
        for (index, operation) in plan.operations.enumerated() where failure == nil {
            current = index
            var random = Random(seed: operation.seed)
            perform(operation.kind, &random)
        }
        check()
        restart { $0.stop() }
        check()
        daemon?.stop()
        return failure
    }

    func fail(_ promise: String, _ details: String) {
        failure = failure ?? Failure(promise: promise, details: details, operation: current)
    }

    private func perform(_ kind: Operation.Kind, _ random: inout Random) {
        switch kind {
        case .send: send(&random) { $0.makeBatch(now: $1, $2, &$3) }
        case .sendOdd: send(&random) { $0.makeOddBatch(now: $1, $2, &$3) }
        case .flood: send(&random) { $0.makeFlood(now: $1, $2, &$3) }
        case .wait: pass(Int64(random.logarithmic(1...600)))
        case .pass: pass(Int64(random.pick([1, 3, 6, 24])) * 3_600)
        case .reset: change("Reset", ["series": random.pick(random.pick(senders).names)], warm: random.chance(0.5))
        case .rollBack: change("Rollback", ["forecaster": random.pick(settings.forecasters).name])
        case .forget: forget(&random)
        case .reload: reload(&random)
        case .crash: crash(&random)
        case .restart: restart { $0.stop() }
        case .check: check()
        default: break
        }
    }

    private func pass(_ seconds: Int64) {
        let next = now.advanced(byNanoseconds: seconds * WorldSettings.second)
        if next < end.advanced(byNanoseconds: -86_400 * WorldSettings.second) { now = next }
    }

    // MARK: The daemon

    private func start() {
        do {
            try Data(settings.toml.utf8).write(to: URL(filePath: "\(folder)/nilod.toml"))
            daemon = try RealDaemon(program: program, folder: folder)
            oracle.adopt { settings.rule(of: $0) }
            try resolveDoubts()
        } catch {
            fail("a daemon starts on what it left", "\(error)")
        }
    }

    private func restart(_ end: (RealDaemon) -> Void) {
        guard failure == nil, let old = daemon else { return }
        end(old)
        daemon = nil
        start()
        counts["starts", default: 0] += 1
    }

    /// Kills the daemon while it works on a request.
    private func crash(_ random: inout Random) {
        guard let daemon else { return }
        for sender in senders {
            sender.batch = sender.batch ?? batch(of: sender, &random) { $0.makeBatch(now: $1, $2, &$3) }
            guard let batch = sender.batch, !batch.isEmpty else { continue }
            sender.isInDoubt = true
            try? daemon.send("Ingest", ["text": text(batch)])
        }
        // The kill comes at any point of the work.
        usleep(UInt32(random.below(3_000)))
        restart { $0.kill() }
        counts["kills", default: 0] += 1
        check()
    }

    // MARK: Readings

    private struct Receipt: Decodable {
        var accepted: Int
        var late: Int
        var position: Int64
    }

    private func batch(of sender: Sender, _ random: inout Random, _ make: World.MakeBatch) -> [Oracle.Sent]? {
        let settings = settings
        let batch = make(sender, now, { settings.groups[WorldSettings.group(of: $0)].cadence }, &random)
        // The line protocol has no words for values that are not finite.
        let finite = batch.filter { $0.value.isFinite && $0.timestamp < end }
        return finite.isEmpty ? nil : finite
    }

    private func send(_ random: inout Random, _ make: World.MakeBatch) {
        let sender = random.pick(senders)
        sender.batch = sender.batch ?? batch(of: sender, &random, make)
        guard let batch = sender.batch, let daemon else { return }
        do {
            try daemon.call("Ingest", ["text": text(batch)]) { (receipt: Receipt) in
                let verdicts = oracle.commit(
                    batch, position: receipt.position, sentAt: now, isRefused: { _ in false },
                    rule: { settings.rule(of: $0) })
                let late = verdicts.count { $0 == .late }
                let accepted = late + verdicts.count { $0 == .fresh }
                if (accepted, late) != (receipt.accepted, receipt.late) {
                    fail("a reading is classed by the rules of time", "\(receipt), expected \(accepted), late \(late)")
                }
            }
            counts["batches", default: 0] += 1
            sender.note(batch, &random)
            (sender.batch, sender.isInDoubt) = (nil, false)
        } catch {
            fail("a daemon answers", "\(error)")
        }
    }

    private func text(_ batch: [Oracle.Sent]) -> String {
        batch.map { reading in
            "\(reading.series)=\(reading.value) \(reading.timestamp.nanoseconds)"
        }.joined(separator: "\n")
    }

    private struct Piece: Decodable { var data: String }

    /// Everything that is stored.
    func stored() throws -> [String: [Timestamp: Double]] {
        var text = ""
        try daemon?.call("Export", ["selector": "*", "format": "line"], more: true) { (piece: Piece) in
            text += piece.data
        }
        var found: [String: [Timestamp: Double]] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard parts.count == 3, let equals = parts[1].lastIndex(of: "="),
                let value = Double(parts[1][equals...].dropFirst()),
                let time = Int64(parts[2])
            else { continue }
            found["\(parts[0]) \(parts[1][..<equals])", default: [:]][Timestamp(nanoseconds: time)] = value
        }
        return found
    }

    private func resolveDoubts() throws {
        let doubtful = senders.filter(\.isInDoubt)
        guard !doubtful.isEmpty else { return }
        let (found, position) = (try stored(), try Inspector(path: database).lastPosition())
        for sender in doubtful {
            var committed = oracle
            _ = committed.commit(
                sender.batch ?? [], position: position, sentAt: now, isRefused: { _ in false },
                rule: { settings.rule(of: $0) })
            let names = Set((sender.batch ?? []).map(\.series))
            let isStored = names.allSatisfy { name in isSame(found[name] ?? [:], committed.readings(of: name)) }
            counts[isStored ? "stored without an answer" : "lost without an answer", default: 0] += 1
            if isStored { oracle = committed }
        }
    }

    func isSame(_ found: [Timestamp: Double], _ expected: [(timestamp: Timestamp, value: Double)]) -> Bool {
        found.count == expected.count
            && expected.allSatisfy { found[$0.timestamp]?.bitPattern == $0.value.bitPattern }
    }

    // MARK: Changes

    private struct Nothing: Decodable {}

    private struct Change: Encodable {
        var series: String?
        var forecaster: String?
        var warm: Bool?
    }

    private func change(_ method: String, _ what: [String: String], warm: Bool? = nil) {
        let change = Change(series: what["series"], forecaster: what["forecaster"], warm: warm)
        do {
            try daemon?.call(method, change) { (_: Nothing) in counts[method, default: 0] += 1 }
        } catch RealDaemon.Failed.refused {
            counts["refused", default: 0] += 1
        } catch {
            fail("a daemon answers", "\(error)")
        }
    }

    private func forget(_ random: inout Random) {
        let sender = random.pick(senders)
        let name = random.pick(sender.names)
        guard !sender.isInDoubt, sender.batch == nil, oracle.series[name] != nil else { return }
        do {
            try daemon?.call("Forget", ["selector": name]) { (_: Nothing) in counts["forgot", default: 0] += 1 }
            oracle.forget([name])
            sender.forget([name])
        } catch {
            fail("a daemon answers", "\(error)")
        }
    }

    private func reload(_ random: inout Random) {
        _ = settings.change(&random)
        settings.timeZone = "UTC"
        do {
            try Data(settings.toml.utf8).write(to: URL(filePath: "\(folder)/nilod.toml"))
            try daemon?.call("Reload", Change()) { (_: Nothing) in counts["reloaded", default: 0] += 1 }
            oracle.adopt { settings.rule(of: $0) }
        } catch {
            fail("a reload is made", "\(error)")
        }
    }
}
