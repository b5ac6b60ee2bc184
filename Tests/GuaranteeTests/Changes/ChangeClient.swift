import ControlInterface
import Foundation
import Synchronization
import TestSupport
import Testing
import Varlink

/// What the clients of one daemon share.
final class ChangeFixture: Sendable {
    let folder: TemporaryFolder
    let expected = ExpectedReadings()
    /// What the file says, and so what was adopted last.
    let configuration = Mutex(ChangeConfiguration())
    /// Held while a file is written and loaded, so that the two belong together.
    let reloading = Mutex(())
    /// By series: the next slot, and how often its state may have been forgotten.
    let slots: Mutex<[Int]>
    let coldStarts = Mutex([Int](repeating: 0, count: ChangeConfiguration.series.count))
    /// The series that were without forecasts for a time, or had other slots.
    let interrupted = Mutex(Set<Int>())

    /// The slot of the present is 170: none is in the future, and the newest are not silent.
    static let lastSlot = 168
    private static let cadence = 600

    private let start = (Int(Date().timeIntervalSince1970) / cadence - 170) * cadence

    init(slots count: Int) throws {
        folder = try TemporaryFolder()
        slots = Mutex([Int](repeating: count, count: ChangeConfiguration.series.count))
    }

    /// In nanoseconds.
    func time(_ slot: Int) -> Int { (start + slot * Self.cadence) * 1_000_000_000 }

    func slot(_ time: Int) -> Int { (time / 1_000_000_000 - start) / Self.cadence }

    static func value(_ series: Int, _ slot: Int) -> String { "\((slot * 7 + series * 3) % 13).5" }
}

/// One of several that use a daemon at the same time, each over a connection of its own.
struct ChangeClient {
    let fixture: ChangeFixture
    let client: VarlinkClient
    var dice: SeededGenerator
    /// The series that only this one sends.
    let mine: [Int]

    init(_ fixture: ChangeFixture, socket: String, seed: UInt64, mine: [Int]) throws {
        (self.fixture, self.mine) = (fixture, mine)
        client = try VarlinkClient(path: socket)
        client.deadline = .now + .seconds(90)
        dice = SeededGenerator(seed)
    }

    private func call<R: Decodable>(_ method: String, _ question: some Encodable, as: R.Type) throws -> R {
        try client.call(Control.qualified(method), question, as: R.self)
    }

    /// Does `count` things at random. A refusal is an answer.
    ///
    /// - Throws: ``ConnectionError`` when the daemon is gone.
    mutating func act(_ count: Int) throws {
        for _ in 0..<count {
            do { try act() } catch let error as VarlinkError {
                let isRefusal = ["Refused", "Busy", "UnknownSeries"].map(Control.qualified).contains(error.name)
                #expect(isRefusal && !error.description.contains("constraint"), "\(error)")
            }
        }
    }

    private mutating func act() throws {
        let any = Int.random(in: ChangeConfiguration.series.indices, using: &dice)
        let forecaster = fixture.configuration.withLock { $0.name }
        switch Int.random(in: 0..<12, using: &dice) {
        case 0...3: for series in mine { try ingest(series) }
        case 4, 5:
            let version = Int.random(in: 1...4, using: &dice)
            _ = try call(
                "Promote", Control.Promote.Request(forecaster: forecaster, version: version),
                as: Control.Promote.Reply.self)
        case 6:
            _ = try call("Rollback", Control.Rollback.Request(forecaster: forecaster), as: Control.Rollback.Reply.self)
        case 7:
            let isWarm = Bool.random(using: &dice)
            if !isWarm { fixture.coldStarts.withLock { $0[any] += 1 } }
            _ = try call(
                "Reset", Control.Reset.Request(series: ChangeConfiguration.series[any], warm: isWarm),
                as: Control.Reset.Reply.self)
        case 8:
            let name = ChangeConfiguration.series[any]
            let place = fixture.expected.beginForget(name)
            fixture.interrupted.withLock { _ = $0.insert(any) }
            _ = try call("Forget", Control.Forget.Request(selector: name), as: Control.Forget.Reply.self)
            fixture.expected.endForget(name, place)
        case 9: try train(forecaster)
        default: try reload()
        }
    }

    /// A new slot or two, and corrections of older ones.
    private mutating func ingest(_ series: Int) throws {
        let next = fixture.slots.withLock { $0[series] }
        let end = min(next + Int.random(in: 0...2, using: &dice), ChangeFixture.lastSlot)
        var values: [Int: String] = [:]
        for slot in next..<max(next, end) { values[fixture.time(slot)] = ChangeFixture.value(series, slot) }
        for _ in 0..<Int.random(in: 0...2, using: &dice) where next > 0 {
            let slot = Int.random(in: max(0, next - 40)..<next, using: &dice)
            values[fixture.time(slot)] = "\(Int.random(in: 0...20, using: &dice)).25"
        }
        if values.isEmpty { values[fixture.time(max(0, next - 1))] = "7.75" }
        fixture.slots.withLock { $0[series] = max(next, end) }
        try send(series, values)
    }

    func send(_ series: Int, _ values: [Int: String]) throws {
        let name = ChangeConfiguration.series[series]
        let lines = values.sorted { $0.key < $1.key }.map { "room,id=\(series) t=\($0.value) \($0.key)" }
        fixture.expected.begin(name, values: values)
        let reply = try call(
            "Ingest", Control.Ingest.Request(text: lines.joined(separator: "\n")), as: Control.Ingest.Reply.self)
        #expect(reply.refused == 0 && reply.accepted == values.count)
        fixture.expected.end(name)
    }

    func train(_ forecaster: String) throws {
        let question = Control.Retrain.Request(forecaster: forecaster)
        try client.stream(Control.qualified("Retrain"), question, as: Control.Retrain.Reply.self) { _ in true }
    }

    private mutating func reload() throws {
        try fixture.reloading.withLock { _ in
            let former = fixture.configuration.withLock { $0 }
            guard Int.random(in: 0..<4, using: &dice) > 0 else { return try reloadRefused(former) }
            let next = former.changed(&dice)
            _ = try fixture.folder.write(next.text, to: "nilod.toml")
            // In the file from here on, whatever comes of the call: a start goes by it.
            fixture.configuration.withLock { $0 = next }
            fixture.note(next)
            _ = try call("Reload", [String: String](), as: Control.Reload.Reply.self)
        }
    }

    private func reloadRefused(_ present: ChangeConfiguration) throws {
        _ = try fixture.folder.write(present.refusedText, to: "nilod.toml")
        defer { _ = try? fixture.folder.write(present.text, to: "nilod.toml") }
        do {
            let reply = try call("Reload", [String: String](), as: Control.Reload.Reply.self)
            Issue.record("expected a refusal, not \(reply.text)")
        } catch is VarlinkError {
            // As it should be.
        }
    }
}

extension ChangeFixture {
    fileprivate func note(_ next: ChangeConfiguration) {
        interrupted.withLock { interrupted in
            for series in ChangeConfiguration.series.indices
            where next.cadenceMinutes != 10 || next.forecaster(of: series) == nil {
                interrupted.insert(series)
            }
        }
    }
}
