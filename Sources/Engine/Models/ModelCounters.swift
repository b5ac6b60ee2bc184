import Basics

/// Model changes and training runs since the start.
public struct ModelCounts: Sendable {
    /// By kind of change, a raw value of ``ModelCounters/Change``.
    public var changes: [String: Int] = [:]
    /// By forecaster.
    public var trained: [String: Int] = [:]
    public var failedTrainings: [String: Int] = [:]
}

/// Counts and logs every change of a model and every training run; safe to use from any thread.
final class ModelCounters: Sendable {
    enum Change: String, CaseIterable {
        case promotion, rollback, reset, fallback, reload, refusal
    }

    private let counts = Locked(ModelCounts())
    private let notify: @Sendable (EngineNotice) -> Void

    init(notify: @escaping @Sendable (EngineNotice) -> Void) { self.notify = notify }

    var current: ModelCounts { counts.withLock { $0 } }

    /// - Parameter text: one sentence for the log; nil where the caller logs it.
    func recordChange(_ change: Change, _ text: String?) {
        counts.withLock { $0.changes[change.rawValue, default: 0] += 1 }
        if let text { notify(.notice(text)) }
    }

    func recordRefusal(_ text: String) {
        counts.withLock { $0.changes[Change.refusal.rawValue, default: 0] += 1 }
        notify(.warning(text))
    }

    func recordTraining(_ forecaster: String, _ outcome: String) {
        counts.withLock { $0.trained[forecaster, default: 0] += 1 }
        notify(.notice("forecaster \(forecaster): trained; \(outcome)"))
    }

    func recordTrainingFailure(_ forecaster: String, _ reason: String) {
        counts.withLock { $0.failedTrainings[forecaster, default: 0] += 1 }
        notify(.warning("forecaster \(forecaster): training failed: \(reason)"))
    }

    func recordScheduleFailure(_ reason: String) {
        notify(.warning("the retraining schedule cannot be read: \(reason)"))
    }
}
