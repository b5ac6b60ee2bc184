import Engine
import TimeSeries

/// When trainings fell due: neither skipped nor in a storm.
struct ScheduleCheck {
    private var lastClaims: [String: Timestamp] = [:]
    private var firstChecks: [String: Timestamp] = [:]

    /// - Returns: when the forecaster was due before; nil if never.
    mutating func claim(_ forecaster: String, at now: Timestamp) -> Timestamp? {
        defer { lastClaims[forecaster] = now }
        return lastClaims[forecaster]
    }

    /// When the forecaster was due, or could have been for the first time; nil before this check.
    mutating func last(_ forecaster: String, at now: Timestamp) -> Timestamp? {
        defer { if firstChecks[forecaster] == nil { firstChecks[forecaster] = now } }
        return lastClaims[forecaster] ?? firstChecks[forecaster]
    }

    mutating func reset() { (lastClaims, firstChecks) = ([:], [:]) }
}

extension World {
    /// The retraining schedule's timer fires.
    func checkSchedule() {
        guard let daemon, !daemon.isChecking else { return }
        daemon.isChecking = true
        withDaemon { daemon in
            defer { daemon.isChecking = false }
            let (now, wasUncertain) = (self.clock.trueTime, self.isReloading || self.isClockInDoubt)
            var hasAnswer = false
            // What was claimed without an answer is not known.
            defer { if !hasAnswer { self.schedule.reset() } }
            let due = try await daemon.engine.trainingDue().forecasters
            hasAnswer = true
            let isUncertain = wasUncertain || self.isReloading || self.isClockInDoubt
            if isUncertain { self.schedule.reset() } else { self.checkNothingSkipped(due, at: now) }
            for forecaster in due {
                self.coverage.note("training due")
                self.trace.note("due", [], forecaster)
                if !isUncertain { self.claimed(forecaster, at: now) }
            }
        }
    }

    private func checkNothingSkipped(_ due: [String], at now: Timestamp) {
        for forecaster in settings.forecasters where !due.contains(forecaster.name) {
            guard let last = schedule.last(forecaster.name, at: now), isOverdue(forecaster.retrain, now, after: last)
            else {
                continue
            }
            fail("the schedule skips nothing", "\(forecaster.name) was due at \(last.text), but not at \(now.text)")
        }
    }

    private func isOverdue(_ rule: RetrainRule, _ now: Timestamp, after last: Timestamp) -> Bool {
        switch rule {
        case .never: false
        case .every(let interval): now.nanoseconds(since: last) > interval + interval / 2
        case .daily(let second): localDay(now, from: second) > localDay(last, from: second) + 1
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

    /// Of a time that comes twice, the first counts: a clock that went back has shown what it showed before.
    private func localDay(_ time: Timestamp, from second: Int32) -> Int64 {
        let change = WorldSettings.lastChange(before: time.seconds)
        let shown = [time.seconds, change - 1].map { $0 + Int64(WorldSettings.utcOffset(settings.timeZone, $0)) }
        return floorDivide(max(shown[0], shown[1]) - Int64(second), 86_400)
    }
}
