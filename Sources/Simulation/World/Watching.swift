import Engine
import TimeSeries

/// The watchers of a world, and what they were told.
struct Watching {
    /// A watcher that reads nothing, and how many events one that subscribed with it and reads all was told.
    ///
    /// `@unchecked Sendable`: used only by the thread that runs the simulation.
    final class Stalled: @unchecked Sendable {
        let stream: EventStream
        var count = 0

        init(_ stream: EventStream) { self.stream = stream }
    }

    var stalled: [Stalled] = []
    /// The anomalies that a watcher of everything was told, by series: the times of their slots.
    private(set) var told: [String: Set<Timestamp>] = [:]

    /// - Returns: false if it was told before.
    mutating func note(_ anomaly: SeriesAnomaly) -> Bool {
        told["\(anomaly.series)", default: []].insert(anomaly.cadence.start(of: anomaly.slot)).inserted
    }

    mutating func forget(_ names: Set<String>) { for name in names { told[name] = nil } }

    mutating func restarted() { stalled = [] }

    /// What was told after the backup may be told again.
    mutating func restored() { (stalled, told) = ([], [:]) }
}

extension World {
    func watch(_ random: inout Random) {
        guard let daemon else { return }
        if random.chance(0.3) { return stall(daemon) }
        // One reads everything from the start to the end of the process: what it is told counts.
        guard !daemon.isWatched else { return }
        daemon.isWatched = true
        let stream = daemon.engine.watch(.all)
        Task { for await event in stream { self.saw(event.value, daemon) } }
    }

    /// In bytes.
    private static let smallestEvent = 64

    private func stall(_ daemon: Daemon) {
        if watching.stalled.count > 2 { watching.stalled.removeFirst() }
        let stalled = Watching.Stalled(daemon.engine.watch(.all))
        let twin = daemon.engine.watch(.all)
        Task { [weak stalled] in
            for await event in twin {
                guard let stalled else { return }
                if case .lost(let count) = event.value { stalled.count += count } else { stalled.count += 1 }
            }
        }
        watching.stalled.append(stalled)
        coverage.note("a watcher stalled")
    }

    /// At rest: what a stalled watcher was told and what it lost are all that happened.
    func compareStalled() {
        for stalled in watching.stalled {
            let (waiting, lost) = stalled.stream.backlog
            if lost > 0 { coverage.note("events lost") }
            if waiting * Self.smallestEvent > settings.watcherMemory {
                fail("what waits for a watcher is bounded", "\(waiting) events, \(settings.watcherMemory) bytes")
            }
            if waiting + lost != stalled.count {
                fail("a watcher learns how much it missed", "\(waiting) wait and \(lost) lost of \(stalled.count)")
            }
        }
    }

    private func saw(_ event: EngineEvent, _ daemon: Daemon) {
        switch event {
        case .anomaly(let anomaly):
            coverage.note("anomaly told")
            if !watching.note(anomaly) {
                fail("an event is told once", "anomaly of \(anomaly.series) in slot \(anomaly.slot)")
            }
        case .forecast(let forecast):
            checkUsable(forecast.forecast, "\(forecast.series)")
            coverage.note("forecast told")
        case .model: coverage.note("model change told")
        case .lost: break
        }
    }
}
