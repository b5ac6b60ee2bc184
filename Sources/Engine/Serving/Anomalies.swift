import Basics
import Forecasting
public import TimeSeries

/// A slot whose value the forecast made before it gave a small probability.
public struct SeriesAnomaly: Sendable {
    public var series: SeriesKey
    public var forecaster: String
    public var method: String
    /// The version's number within the forecaster.
    public var version: Int
    public var slot: Slot
    public var cadence: Cadence
    public var value: Float
    /// Of a value at least as far out on its side, doubled.
    public var probability: Float
    public var quantiles: QuantileLevels
    /// The forecast that was made a slot before: `[quantiles]`.
    public var expected: [Float]
    /// Anomalies of the series since the last event, which the cooldown held back.
    public var held: Int
}

/// Which slots of a forecaster's series are anomalies, and how soon after one another is told.
struct AnomalyRule: Sendable, Hashable {
    /// Below this tail probability.
    var probability: Float
    /// From slot to slot, in nanoseconds.
    var cooldown: Int64
}

extension EngineConfiguration {
    /// By forecaster; those without a rule are left out.
    var anomalyRules: [String: AnomalyRule] {
        let rules = forecasters.compactMap { forecaster in
            forecaster.anomaly.map {
                (forecaster.name, AnomalyRule(probability: Float($0), cooldown: forecaster.anomalyCooldown))
            }
        }
        return Dictionary(keepingFirst: rules)
    }
}

/// Judges the closed slots of one series: each once, in their order, and never again.
///
/// A replay closes slots a second time: after a late reading, a promotion, a start. The slots up to the newest that was
/// judged are passed over then. What was closed before the start has been told then; it is judged once more without a
/// word, so that a cooldown outlasts a restart.
struct AnomalyJudge {
    /// Slots up to here are judged without a word.
    private let silentThrough: Slot
    private var judged: Slot = .min
    private var told: (slot: Slot, probability: Float)?
    private var held = 0

    /// Within a cooldown only a slot so many times less probable than the last one told is told.
    private static let escalation: Float = 100

    init(silentThrough: Slot = .min) { self.silentThrough = silentThrough }

    /// Takes a closed slot.
    ///
    /// - Parameter probability: nil for a slot without a value, without a forecast or without a rule.
    /// - Returns: how many were held back before, if this one is to be told.
    mutating func judge(_ slot: Slot, probability: Float?, _ rule: AnomalyRule?, _ cadence: Cadence) -> Int? {
        guard slot > judged else { return nil }
        judged = slot
        guard let rule, let probability, probability < rule.probability else { return nil }
        if let told, !isDue(slot, after: told.slot, rule, cadence), probability * Self.escalation > told.probability {
            held += 1
            return nil
        }
        defer { (told, held) = ((slot, probability), 0) }
        return slot > silentThrough ? held : nil
    }

    private func isDue(_ slot: Slot, after last: Slot, _ rule: AnomalyRule, _ cadence: Cadence) -> Bool {
        let (slots, isFar) = slot.subtractingReportingOverflow(last)
        let (time, isLong) = slots.multipliedReportingOverflow(by: cadence.nanoseconds)
        return isFar || isLong || time >= rule.cooldown
    }
}

extension SeriesState {
    /// Judges a slot that closes.
    ///
    /// - Parameters:
    ///   - state: after its step, `[stateCount]`; nil if the model gave no answer.
    ///   - expected: what was expected of it, `[quantiles]`.
    mutating func noteSurprise(
        _ slot: Slot, value: Float, state: UnsafeBufferPointer<Float>?, expected: @autoclosure () -> [Float]
    ) {
        guard let runningState, let cadence else { return }
        let probability = anomalyRule == nil ? nil : state.flatMap { runningState.model.reliableTail(of: $0) }
        guard let held = judge.judge(slot, probability: probability, anomalyRule, cadence), let probability,
            case let expected = expected(), expected.allSatisfy(\.isFinite)
        else { return }
        let version = runningState.version.version
        anomalies.append(
            SeriesAnomaly(
                series: key, forecaster: version.forecaster, method: version.method, version: version.number,
                slot: slot, cadence: cadence, value: value, probability: probability,
                quantiles: runningState.version.specification.quantiles,
                expected: expected, held: held))
    }

    /// The anomalies that are news at `now`: an import of last year's readings is history, and tells nobody.
    mutating func takeAnomalies(now: Timestamp) -> [SeriesAnomaly] {
        guard !anomalies.isEmpty, let cadence else { return [] }
        defer { anomalies = [] }
        let lateness = Int64(latenessSlots).multipliedReportingOverflow(by: cadence.nanoseconds)
        let limit = max(Self.newsworthy, lateness.overflow ? .max : lateness.partialValue)
        return anomalies.filter { now.nanoseconds(since: cadence.start(of: $0.slot + 1)) <= limit }
    }

    /// Readings are news for an hour, or for as long as they may be late.
    private static let newsworthy: Int64 = 3_600_000_000_000
}
