import Basics
import Forecasting
public import TimeSeries

/// A closed slot whose value was improbable under the forecast made before it.
public struct SeriesAnomaly: Sendable {
    public var series: SeriesKey
    public var forecaster: String
    public var method: String
    /// The version's number within the forecaster.
    public var version: Int
    public var slot: Slot
    public var cadence: Cadence
    public var value: Float
    /// The two-sided tail probability: twice that of a value at least as extreme on the same side.
    public var probability: Float
    public var quantiles: QuantileLevels
    /// The forecast made one slot before: `[quantiles]`.
    public var expected: [Float]
    /// The number of anomalies of the series that the cooldown has suppressed since the last event.
    public var suppressed: Int
}

/// Which slots of a forecaster's series are anomalies, and how soon after one the next is reported.
struct AnomalyRule: Sendable, Hashable {
    /// A slot with a lower tail probability is an anomaly.
    var probability: Float
    /// The time from slot to slot, in nanoseconds.
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

/// Detects anomalies among the closed slots of one series, each of which is evaluated once, in order.
///
/// A replay after a late reading, a promotion or a start closes slots again; slots up to the newest evaluated one are
/// then skipped. Slots that closed before the start were reported then; they are evaluated once more without a report,
/// so that a cooldown survives a restart.
struct AnomalyDetector {
    /// Slots up to this one are evaluated but not reported.
    private let mutedThrough: Slot
    private var lastEvaluated: Slot = .min
    private var lastReported: (slot: Slot, probability: Float)?
    private var suppressed = 0

    /// Within a cooldown, a slot is reported only if it is this many times less probable than the last reported one.
    private static let escalation: Float = 100

    init(mutedThrough: Slot = .min) { self.mutedThrough = mutedThrough }

    /// Evaluates a closed slot.
    ///
    /// - Parameter probability: nil for a slot without a value, without a forecast or without a rule.
    /// - Returns: if this slot is to be reported, the number of anomalies suppressed before it; nil otherwise.
    mutating func evaluate(_ slot: Slot, probability: Float?, _ rule: AnomalyRule?, _ cadence: Cadence) -> Int? {
        guard slot > lastEvaluated || PlantedBug.anomalyToldAgain.isActive else { return nil }
        lastEvaluated = slot
        guard let rule, let probability, probability < rule.probability else { return nil }
        if let lastReported, !isDue(slot, after: lastReported.slot, rule, cadence),
            probability * Self.escalation > lastReported.probability
        {
            suppressed += 1
            return nil
        }
        defer { (lastReported, suppressed) = ((slot, probability), 0) }
        return slot > mutedThrough ? suppressed : nil
    }

    private func isDue(_ slot: Slot, after last: Slot, _ rule: AnomalyRule, _ cadence: Cadence) -> Bool {
        let (slots, isFar) = slot.subtractingReportingOverflow(last)
        let (time, isLong) = slots.multipliedReportingOverflow(by: cadence.nanoseconds)
        return isFar || isLong || time >= rule.cooldown
    }
}

extension SeriesState {
    /// Checks a closing slot for an anomaly.
    ///
    /// - Parameters:
    ///   - state: the state after its step, `[stateCount]`; nil if the model did not respond.
    ///   - expected: the forecast for the slot, `[quantiles]`.
    mutating func detectAnomaly(
        _ slot: Slot, value: Float, state: UnsafeBufferPointer<Float>?, expected: @autoclosure () -> [Float]
    ) {
        guard let runningState, let cadence else { return }
        var probability = anomalyRule == nil ? nil : state.flatMap { runningState.model.reliableTail(of: $0) }
        var forecast: [Float] = []
        if let anomalyRule, let known = probability, known < anomalyRule.probability {
            forecast = expected()
            // Without a forecast that can be shown it is none, and starts no cooldown.
            if !forecast.allSatisfy(\.isFinite) { probability = nil }
        }
        guard let suppressed = anomalyDetector.evaluate(slot, probability: probability, anomalyRule, cadence),
            let probability
        else { return }
        let version = runningState.version.version
        anomalies.append(
            SeriesAnomaly(
                series: key, forecaster: version.forecaster, method: version.method, version: version.number,
                slot: slot, cadence: cadence, value: value, probability: probability,
                quantiles: runningState.version.specification.quantiles,
                expected: forecast, suppressed: suppressed))
    }

    /// Removes and returns the anomalies that are recent at `now`: importing last year's readings must raise none.
    mutating func drainAnomalies(now: Timestamp) -> [SeriesAnomaly] {
        guard !anomalies.isEmpty, let cadence else { return [] }
        defer { anomalies = [] }
        let lateness = Int64(latenessSlots).multipliedReportingOverflow(by: cadence.nanoseconds)
        let limit = max(Self.reportingPeriod, lateness.overflow ? .max : lateness.partialValue)
        return anomalies.filter { now.nanoseconds(since: cadence.start(of: $0.slot + 1)) <= limit }
    }

    /// An anomaly is recent for an hour, in nanoseconds, or for the series' lateness if that is longer.
    private static let reportingPeriod: Int64 = 3_600_000_000_000
}
