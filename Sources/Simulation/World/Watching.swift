import Engine
import TimeSeries

/// The watchers of a world, and what they were told.
struct Watching {
    /// A watcher's stream; nobody reads it once it stalls.
    struct Watcher {
        var stream: EventStream
        var isStalled: Bool
    }

    var watchers: [Watcher] = []
    /// The anomalies that a watcher of everything was told, by series: the times of their slots.
    private(set) var told: [String: Set<Timestamp>] = [:]

    /// - Returns: false if it was told before.
    mutating func note(_ anomaly: SeriesAnomaly) -> Bool {
        told["\(anomaly.series)", default: []].insert(anomaly.cadence.start(of: anomaly.slot)).inserted
    }

    mutating func forget(_ names: Set<String>) { for name in names { told[name] = nil } }

    mutating func restarted() { watchers = [] }

    /// What was told after the backup may be told again.
    mutating func restored() { (watchers, told) = ([], [:]) }
}

extension World {
    func watch(_ random: inout Random) {
        guard let daemon else { return }
        if watching.watchers.count > 4 { watching.watchers.removeFirst() }
        let isStalled = random.chance(0.3)
        let stream = daemon.engine.watch(.all)
        if isStalled {
            watching.watchers.append(.init(stream: stream, isStalled: true))
            return coverage.note("a watcher stalled")
        }
        // One reads everything from the start to the end of the process: what it is told counts.
        guard !daemon.isWatched else { return }
        daemon.isWatched = true
        Task { for await event in stream { self.saw(event.value, daemon) } }
    }

    private func saw(_ event: EngineEvent, _ daemon: Daemon) {
        switch event {
        case .anomaly(let anomaly):
            coverage.note("anomaly told")
            if !watching.note(anomaly) {
                fail("an event is told once", "anomaly of \(anomaly.series) in slot \(anomaly.slot)")
            }
        case .forecast: coverage.note("forecast told")
        case .model: coverage.note("model change told")
        case .lost: coverage.note("events lost")
        }
    }
}

/// When trainings fell due: neither skipped nor in a storm.
struct ScheduleCheck {
    private var lastClaims: [String: Timestamp] = [:]

    /// - Returns: when the forecaster was due before; nil if never.
    mutating func claim(_ forecaster: String, at now: Timestamp) -> Timestamp? {
        defer { lastClaims[forecaster] = now }
        return lastClaims[forecaster]
    }

    mutating func reset() { lastClaims = [:] }
}

extension World {
    /// The retraining schedule's timer fires.
    func checkSchedule() {
        guard let daemon, !daemon.isChecking else { return }
        daemon.isChecking = true
        withDaemon { daemon in
            defer { daemon.isChecking = false }
            let (now, wasReloading) = (self.clock.trueTime, self.isReloading)
            for forecaster in try await daemon.engine.trainingDue().forecasters {
                self.coverage.note("training due")
                self.trace.note("due", [], forecaster)
                if wasReloading || self.isReloading { self.schedule.reset() } else { self.claimed(forecaster, at: now) }
            }
        }
    }

    private func claimed(_ name: String, at now: Timestamp) {
        guard let forecaster = settings.forecasters.first(where: { $0.name == name }) else { return }
        guard !isClockInDoubt else { return schedule.reset() }
        guard let last = schedule.claim(name, at: now), isTooSoon(forecaster.retrain, now, after: last) else { return }
        fail("the schedule does not storm", "\(name) was due at \(last.text), and again at \(now.text)")
    }

    private func isTooSoon(_ rule: RetrainRule, _ now: Timestamp, after last: Timestamp) -> Bool {
        switch rule {
        case .never: true
        case .every(let interval): now.nanoseconds(since: last) < interval
        // Once a local day, which begins at that second.
        case .daily(let second): localDay(now, from: second) <= localDay(last, from: second)
        }
    }

    private func localDay(_ time: Timestamp, from second: Int32) -> Int64 {
        floorDivide(
            time.seconds + Int64(WorldSettings.utcOffset(settings.timeZone, time.seconds) - second), 86_400)
    }
}
