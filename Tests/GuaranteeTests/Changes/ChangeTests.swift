import ControlInterface
import Foundation
import TestSupport
import Testing
import Varlink

@Suite("Promise: changes of models and configurations hold, whatever they meet")
struct ChangeTests {
    @Test(
        "three clients promote, roll back, reset, forget, train, reload and ingest; the daemon is killed: readings, states, scores and events are right",
        arguments: 1...200 as ClosedRange<UInt64>)
    func lives(seed: UInt64) throws {
        var dice = SeededGenerator(seed)
        let fixture = try ChangeFixture(slots: .random(in: 60...160, using: &dice))
        let first = try DaemonRun(fixture, seed)
        try first.fill()
        try first.round(&dice, kills: false)
        let before = try first.check()
        first.daemon.kill()

        let second = try DaemonRun(fixture, seed)
        try second.check(is: before, "after a kill at rest")
        try second.round(&dice, kills: true)

        let third = try DaemonRun(fixture, seed)
        let found = try third.check()
        #expect(third.daemon.stop() == 0)

        let fourth = try DaemonRun(fixture, seed)
        try fourth.check(is: found, "after a stop")
        try fourth.round(&dice, kills: false)
        _ = try fourth.check()
        try fourth.finish()
        fourth.daemon.kill()
    }
}

/// A daemon from its start to its end, and all that is done to it.
private struct DaemonRun {
    let fixture: ChangeFixture
    let daemon: Daemon
    private let watcher: EventWatcher
    private let seed: UInt64

    init(_ fixture: ChangeFixture, _ seed: UInt64) throws {
        (self.fixture, self.seed) = (fixture, seed)
        daemon = try Daemon(in: fixture.folder, fixture.configuration.withLock { $0.text })
        watcher = try EventWatcher(daemon)
    }

    /// Feeds the beginning and trains, so that there are versions to choose from.
    func fill() throws {
        let client = try ChangeClient(fixture, socket: daemon.socket, seed: seed, mine: [])
        for series in ChangeConfiguration.series.indices {
            let values = (0..<fixture.slots.withLock { $0[series] }).map {
                (fixture.time($0), ChangeFixture.value(series, $0))
            }
            try client.send(series, Dictionary(values) { first, _ in first })
        }
        try client.train("house")
    }

    /// Three clients at once; if it `kills`, the daemon dies while they are busy.
    func round(_ dice: inout SeededGenerator, kills: Bool) throws {
        let left = Int.random(in: 1...3, using: &dice)
        let group = DispatchGroup()
        for number in 0..<3 {
            let own = UInt64.random(in: 1 ... .max, using: &dice)
            group.enter()
            Thread.detachNewThread { [fixture, seed, process = daemon.process, socket = daemon.socket] in
                defer { group.leave() }
                do {
                    var client = try ChangeClient(fixture, socket: socket, seed: own, mine: [number, number + 3])
                    try client.act(left)
                    if kills, number == 0 { Thread.detachNewThread { process.kill() } }
                    try client.act(kills ? 1_000 : 2)
                } catch {
                    if !kills || !(error is ConnectionError) { Issue.record("seed \(seed): \(error)") }
                }
            }
        }
        group.wait()
        if kills { #expect(daemon.process.wait() == 128 + SIGKILL) }
    }

    /// Checks what holds at any time at which no client is busy.
    func check() throws -> DaemonSnapshot {
        let snapshots = try DaemonSnapshot(daemon)
        let configuration = fixture.configuration.withLock { $0 }
        for (number, name) in ChangeConfiguration.series.enumerated() {
            let readings = snapshots.readings[name] ?? [:]
            if let wrong = fixture.expected.settle(name, readings) {
                Issue.record("seed \(seed): \(name) has \(wrong)")
            }
            // What was under way at a kill may have come to nothing.
            fixture.slots.withLock { $0[number] = readings.keys.max().map { fixture.slot($0) + 1 } ?? $0[number] }
            guard let snapshot = snapshots.series[name] else { continue }
            #expect(snapshot.forecaster == configuration.forecaster(of: number), "seed \(seed): \(name)")
            if snapshot.forecaster == configuration.name {
                #expect(snapshot.horizon == configuration.horizon, "seed \(seed): \(name)")
            }
            checkTruths(snapshot, number, slots: readings.count)
        }
        try checkRanges(snapshots)
        try checkDatabase(snapshots)
        try checkEvents(snapshots)
        return snapshots
    }

    /// Each slot but the first is the truth of one forecast, whoever made it; a state that has forgotten everything makes
    /// none at first.
    private func checkTruths(_ snapshot: SeriesSnapshot, _ number: Int, slots: Int) {
        guard !fixture.interrupted.withLock({ $0.contains(number) }) else { return }
        let cold = fixture.coldStarts.withLock { $0[number] }
        #expect(
            (slots - 1 - cold...slots - 1).contains(snapshot.truths),
            "seed \(seed): \(ChangeConfiguration.series[number]), \(slots) slots, \(cold) cold starts")
    }

    /// Adjoining ranges add up, wherever they adjoin.
    private func checkRanges(_ snapshots: DaemonSnapshot) throws {
        let time = fixture.time(Int(seed * 37 % UInt64(ChangeFixture.lastSlot)))
        var truths: [String: Int] = [:]
        for question in [
            Control.GetScores.Request(selector: nil, start: nil, end: "\(time)"),
            Control.GetScores.Request(selector: nil, start: "\(time + 1)", end: nil),
        ] {
            let reply: Control.GetScores.Reply = try daemon.call("GetScores", question)
            for series in reply.series { truths[series.series, default: 0] += series.scores.first?.truths ?? 0 }
        }
        #expect(truths.filter { $0.value > 0 } == snapshots.series.mapValues(\.truths).filter { $0.value > 0 })
    }

    private func checkDatabase(_ snapshots: DaemonSnapshot) throws {
        let sql = """
            SELECT CASE WHEN forecaster IS NULL THEN 0 ELSE COALESCE((
                SELECT number FROM epoch JOIN model_version ON model_version.id = version
                WHERE epoch.series = series.id AND model_version.forecaster = series.forecaster
                ORDER BY epoch.id DESC LIMIT 1), -1) END
            FROM series ORDER BY key
            """
        let stored = try Sabotage(fixture.folder.path("state/nilo.db")).numbers(sql)
        #expect(stored == snapshots.series.sorted { $0.key < $1.key }.map(\.value.version), "seed \(seed)")
    }

    /// The last that a watcher was told of a series is what holds.
    private func checkEvents(_ snapshots: DaemonSnapshot) throws {
        for (number, name) in ChangeConfiguration.series.enumerated()
        where !fixture.interrupted.withLock({ $0.contains(number) }) {
            guard let snapshot = snapshots.series[name], snapshot.forecaster != nil else { continue }
            try wait(until: "the watcher has been told of the newest version of \(name), seed \(seed)") {
                let version = watcher.newest(name).version
                return version == nil || version == snapshot.version
            }
        }
        #expect(watcher.dropped.isEmpty)
    }

    /// One more slot of every series: all that comes before it has been told when its forecast is.
    func finish() throws {
        let client = try ChangeClient(fixture, socket: daemon.socket, seed: seed, mine: [])
        for series in ChangeConfiguration.series.indices {
            try client.send(series, [fixture.time(ChangeFixture.lastSlot + 1): "4.5"])
        }
        for name in ChangeConfiguration.series {
            let question = Control.GetForecast.Request(series: name)
            guard let reply: Control.GetForecast.Reply = try? daemon.call("GetForecast", question) else { continue }
            try wait(until: "the watcher has the forecast of \(name), seed \(seed)") {
                let told = watcher.newest(name).forecast
                return told?.origin == reply.forecast.origin
                    && told?.leads.map(\.values) == reply.forecast.leads.map(\.values)
            }
        }
    }

    func check(is expected: DaemonSnapshot, _ when: String) throws {
        let snapshots = try DaemonSnapshot(daemon)
        for name in ChangeConfiguration.series {
            #expect(snapshots.series[name] == expected.series[name], "seed \(seed), \(when): \(name)")
            #expect(snapshots.readings[name] == expected.readings[name], "seed \(seed), \(when): readings of \(name)")
        }
    }
}
