import Basics
import Dispatch
import Storage
import TimeSeries

/// Requests a training run of each forecaster when it is due on the wall clock or when its forecasts have drifted.
///
/// One Dispatch timer, re-armed at most a minute ahead, so that a changed clock or a machine that slept is noticed; the
/// next due time is stored in the database. Missed runs, however many, are caught up once.
public final class RetrainingSchedule: Sendable {
    private let engine: Engine
    private let due: @Sendable (String) -> Void
    private let queue = DispatchQueue(label: "retraining-schedule")
    private struct State {
        /// nil: stopped or not started.
        var timer: (any DispatchSourceTimer)?
        /// Whether the rules may have changed since the current check began.
        var isRecheckNeeded = false
    }

    private let state = Locked(State())

    /// - Parameter due: called for every forecaster that is due.
    public init(engine: Engine, due: @escaping @Sendable (String) -> Void) {
        self.engine = engine
        self.due = due
    }

    public func start() { state.withLock { $0.timer = armed(after: 0) } }

    public func stop() {
        state.withLock { state in
            state.timer?.cancel()
            state.timer = nil
        }
    }

    /// Checks at once, because the rules may have changed.
    public func checkNow() {
        state.withLock { $0.isRecheckNeeded = true }
        arm(after: 0)
    }

    private func arm(after seconds: Double) {
        state.withLock { state in
            guard let timer = state.timer else { return }
            timer.cancel()
            state.timer = armed(after: state.isRecheckNeeded ? 0 : seconds)
        }
    }

    private func armed(after seconds: Double) -> any DispatchSourceTimer {
        let next = DispatchSource.makeTimerSource(queue: queue)
        next.schedule(deadline: .now() + seconds, leeway: .milliseconds(100))
        next.setEventHandler { [weak self] in Task { await self?.check() } }
        next.activate()
        return next
    }

    private func check() async {
        state.withLock { $0.isRecheckNeeded = false }
        do {
            let (forecasters, wait) = try await engine.trainingDue()
            for forecaster in forecasters { due(forecaster) }
            arm(after: min(60, max(0.05, wait)))
        } catch {
            if error as? EngineError != .stopping { engine.modelCounters.recordScheduleFailure("\(error)") }
            arm(after: 60)
        }
    }
}

extension Engine {
    /// The forecasters to train now, because they are due or their forecasts have drifted; those due are claimed.
    ///
    /// - Returns: also the seconds until the earliest next due time, at most 60.
    package func trainingDue() async throws -> (forecasters: [String], wait: Double) {
        let claim = try await claimDue()
        return (Set(claim.claimed + (try await drifting())).sorted(), claim.wait)
    }

    /// Claims the forecasters that are due, and stores the next due time of each forecaster.
    ///
    /// - Returns: the claimed forecasters, and the seconds until the earliest next due time, at most 60.
    package func claimDue() async throws -> (claimed: [String], wait: Double) {
        try await writer.run(ClaimDue(now: clock.now))
    }
}

/// Claims the forecasters that are due, and stores the next due times.
struct ClaimDue: WriterCommand {
    let now: Timestamp

    func run(on writer: Writer) throws -> (claimed: [String], wait: Double) {
        let records = try writer.store.schedule()
        let forecasters = writer.configuration.forecasters
        var (claimed, wait): ([String], Double) = ([], 60)
        for (index, forecaster) in forecasters.enumerated() {
            let stagger = Double(index) / Double(max(1, forecasters.count)) * 0.5
            var record = records[forecaster.name] ?? ScheduleRecord(forecaster: forecaster.name)
            let isDue = record.nextDue.map { $0 <= now } ?? false
            if isDue, forecaster.retrain != .never { claimed.append(forecaster.name) }
            let next = next(
                after: record.nextDue, isDue: isDue, forecaster.retrain, stagger: stagger,
                writer.configuration.calendar)
            if next != record.nextDue, !(isDue && PlantedBug.scheduleStorm.isActive) {
                record.nextDue = next
                let new = record
                try writer.write { try $0.setSchedule(new) }
            }
            if let next { wait = min(wait, Double(next.nanoseconds(since: now)) / 1e9) }
        }
        return (claimed, wait)
    }

    /// The next due time: `stored`, unless it is claimed now, or was computed by another rule or by a clock that was
    /// ahead.
    private func next(
        after stored: Timestamp?, isDue: Bool, _ rule: RetrainRule, stagger: Double, _ calendar: LocalCalendar
    )
        -> Timestamp?
    {
        if isDue { return rule.due(afterClaimAt: now, stagger: stagger, calendar: calendar) }
        if let stored, PlantedBug.farDueKept.isActive { return stored }
        if let stored, rule.keeps(stored, at: now, stagger: stagger, calendar: calendar) { return stored }
        return rule.due(after: now, stagger: stagger, calendar: calendar)
    }
}
