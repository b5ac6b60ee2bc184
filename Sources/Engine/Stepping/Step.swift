import Forecasting
import Storage
import TimeSeries

/// One step of a series: what it has to do next, where it is made, and what it leaves. ``Stepper`` makes the steps of many
/// series in one call of their model.
extension SeriesState {
    /// A step of the running state.
    struct Step {
        var slot: Slot
        var value: Float
        /// Whether it is the newest slot, which later readings may still change.
        var isOpen: Bool
        /// Whether it is recorded as an outage, a slot without an answer of the model.
        var isAbsent = false
    }

    /// The next step towards the frontier; nil if there is none.
    ///
    /// A slot that closes with the value that it was last stepped with keeps that state without another step.
    mutating func nextStep() -> Step? {
        guard let cadence, let frontier, let runningState else { return nil }
        while true {
            let from = runningState.headSlot.map { $0 + 1 } ?? runningState.firstSlot
            guard let next = firstReading(from: from, cadence: cadence) else { return nil }
            let slot = runningState.nextSlot(nextValue: next.slot, maxGap: maxGap)
            let value = slot == next.slot ? value(of: next, cadence: cadence) : .nan
            let isCurrent = runningState.open.map { $0.isCurrent(slot, value) } ?? false
            if slot >= frontier { return isCurrent ? nil : Step(slot: slot, value: value, isOpen: true) }
            guard isCurrent else {
                return Step(slot: slot, value: value, isOpen: false, isAbsent: outages.contains(slot))
            }
            recordScores(before: slot)
            detectAnomaly(
                slot, value: value, state: runningState.openState,
                expected: runningState.headExpectation)
            runningState.close(slot, value: value, spacing: snapshotSpacing)
            if !value.isNaN { values.append(value, at: slot) }
        }
    }

    /// Begins a step of ``nextStep()`` and returns its buffers; nil without a running state.
    mutating func begin(_ step: Step) -> ServedRow? {
        guard let runningState else { return nil }
        if step.isOpen {
            let begun = runningState.beginOpen(step.slot)
            return begun.state.map { ServedRow(state: $0, forecast: begun.forecast) }
        }
        // The step overwrites them.
        recordScores(before: step.slot)
        return runningState.beginClosed(step.slot).map { ServedRow(state: $0, forecast: nil) }
    }

    /// Completes a begun step, whose result is in the running state's buffers.
    mutating func end(_ step: Step, isAbsent: Bool) {
        guard let runningState else { return }
        guard !step.isOpen else { return runningState.open(step.slot, value: step.value, isAbsent: isAbsent) }
        guard !isAbsent else { return skip(step) }
        detectAnomaly(
            step.slot, value: step.value, state: runningState.headState,
            expected: runningState.closingExpectation)
        runningState.advanceHead(to: step.slot, value: step.value, spacing: snapshotSpacing)
        if !step.value.isNaN { values.append(step.value, at: step.slot) }
    }

    /// Steps over a closed slot for which the model did not respond: the state stays unchanged.
    mutating func skip(_ step: Step) {
        outages.add(step.slot)
        detectAnomaly(step.slot, value: step.value, state: nil, expected: [])
        runningState?.advanceHead(to: step.slot, value: step.value, spacing: snapshotSpacing)
        if !step.value.isNaN { values.append(step.value, at: step.slot) }
    }

    private var snapshotSpacing: Int64 { Int64(max(1, latenessSlots / 4)) }
}
