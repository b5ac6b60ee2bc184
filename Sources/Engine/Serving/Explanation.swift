import Basics
public import Forecasting
public import TimeSeries

/// A description of the model of a series and of its running state.
public struct SeriesExplanation: Sendable {
    public var series: SeriesKey
    public var forecaster: String
    public var method: String
    public var version: Int
    /// Layers, shapes, parameter counts.
    public var summary: String
    /// The number of newest steps that were examined.
    public var steps: Int
    /// The fraction of the values in those steps that lay inside the outermost prediction interval; nil without any.
    public var coverage: Double?
    /// The number of pairs of forecast and value behind ``coverage``.
    public var compared: Int
    /// The nominal value of ``coverage``.
    public var interval: Double
    public var findings: [StateFinding]
}

extension Engine {
    /// Describes the model of a series and its running state.
    ///
    /// - Throws: ``EngineError/unknownSeries(_:nearest:)``, ``EngineError/notReady(_:)``.
    public func explanation(of name: String) async throws -> SeriesExplanation {
        try await answer(about: name) { $0.explanation(of: $1) }
    }
}

extension ShardView {
    /// nil before the first step.
    func explanation(of id: SeriesID) -> SeriesExplanation? {
        guard let state = series[id], let runningState = state.runningState,
            let replay = Replay(of: state, stepper)
        else {
            return nil
        }
        let version = runningState.version.version
        let levels = runningState.version.specification.quantiles.levels
        let (inside, compared) = replay.coverage(runningState.version.specification)
        return SeriesExplanation(
            series: state.key, forecaster: version.forecaster, method: version.method, version: version.number,
            summary: runningState.model.summary, steps: replay.steps.count,
            coverage: compared == 0 ? nil : Double(inside) / Double(compared), compared: compared,
            interval: (levels.last ?? 0) - (levels.first ?? 0),
            findings: runningState.model.findings(of: replay.steps.map(\.batch)))
    }
}

/// The newest steps of a series, recomputed bit for bit from an earlier state.
struct Replay {
    struct Step {
        var slot: Slot
        var value: Float
        /// One row, with the state before the step and its inputs.
        var batch: AdvanceBatch
        var forecast: [Float]
    }

    private(set) var steps: [Step] = []
    /// The state after the newest closed slot.
    private(set) var state: [Float]

    /// The number of slots to replay; more if there is no snapshot at that point.
    private static let minimumSlots: Slot = 128

    /// nil before the first step.
    init?(of series: SeriesHandle, _ stepper: Stepper) {
        guard let runningState = series.runningState,
            let end = runningState.open?.slot ?? runningState.headSlot,
            case let snapshots = runningState.snapshots,
            let base = snapshots.last(where: { $0.slot.map { $0 <= end - Self.minimumSlots } ?? true })
                ?? snapshots.first
        else { return nil }
        state = base.state
        var (slot, last) = (base.slot, base.slot)
        while let next = Self.next(after: slot, last: last, series, runningState), next <= end {
            let isOpen = next == runningState.open?.slot
            let value = isOpen ? runningState.open?.value ?? .nan : series.values[next]
            append(next, value, series, stepper, advances: !isOpen)
            slot = next
            if !value.isNaN { last = next }
        }
    }

    /// The slot that the running state stepped after `slot`; nil after the newest.
    private static func next(
        after slot: Slot?, last: Slot?, _ series: SeriesHandle, _ runningState: RunningStateHandle
    )
        -> Slot?
    {
        let from = slot.map { $0 + 1 } ?? runningState.firstSlot
        let closed = series.values.first(from: from)?.slot
        guard let nextValue = closed ?? runningState.open?.slot, nextValue >= from else { return nil }
        guard let slot, let last, slot - last < Int64(series.maxGap) else { return nextValue }
        return min(slot + 1, nextValue)
    }

    private mutating func append(
        _ slot: Slot, _ value: Float, _ series: SeriesHandle, _ stepper: Stepper, advances: Bool
    ) {
        guard let runningState = series.runningState else { return }
        var batch = AdvanceBatch(
            count: 1, model: runningState.model,
            forecastCount: runningState.version.specification.forecastCount,
            wantsForecasts: true)
        let step = SeriesState.Step(slot: slot, value: value, isOpen: false)
        stepper.fill(&batch, row: 0, with: (series, step), runningState.model.lags)
        batch.states = state
        let before = batch
        runningState.model.advance(&batch)
        if advances { state = batch.states }
        steps.append(Step(slot: slot, value: value, batch: before, forecast: batch.forecasts))
    }

    /// The number of values inside the outermost interval of the forecasts made before them, and the number compared.
    func coverage(_ specification: ForecastSpecification) -> (inside: Int, compared: Int) {
        let values = Dictionary(keepingFirst: steps.map { ($0.slot, $0.value) })
        let width = specification.quantiles.count
        var (inside, compared) = (0, 0)
        // The newest slot is open: its value is not final.
        for step in steps.dropLast() where step.forecast.count == specification.forecastCount {
            for lead in 1...specification.horizon {
                guard let value = values[step.slot + Slot(lead)], value.isFinite,
                    step.slot + Slot(lead) != steps.last?.slot
                else { continue }
                let quantiles = step.forecast[(lead - 1) * width..<lead * width]
                guard let low = quantiles.first, let high = quantiles.last, low.isFinite, high.isFinite else {
                    continue
                }
                compared += 1
                if low <= value, value <= high { inside += 1 }
            }
        }
        return (inside, compared)
    }
}
