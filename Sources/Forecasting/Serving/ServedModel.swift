import TimeSeries

/// A model as the daemon serves it: with its experts mixed, its intervals calibrated and its forecasts scored, series
/// by series.
///
/// It is itself a ``ForecastModel`` with one expert: the state of mixing, calibration and scoring is appended to the
/// model's own state, `[model state | score state]`. So checkpoints, replays, late readings and backtests give the same
/// bits without further provisions. Thread-safe.
public final class ServedModel: ForecastModel {
    public let model: any ForecastModel
    public let stateCount: Int
    public let initialState: [Float]
    public let lags: [Int]
    public let experts = [Expert(name: "", prior: 1)]
    let layout: ScoreLayout
    private let mix: ExpertMix
    private let forecastCount: Int
    let nominal: QuantileLevels.Interval

    public init(_ model: any ForecastModel, specification: ForecastSpecification) {
        self.model = model
        layout = ScoreLayout(experts: model.experts.count, specification: specification)
        mix = ExpertMix(model.experts)
        forecastCount = specification.forecastCount
        nominal = specification.quantiles.nominal
        stateCount = model.stateCount + layout.count
        initialState = model.initialState + layout.initial(priors: mix.priors)
        lags = model.lags
    }

    public var summary: String { model.summary }
    public var rowsPerBatch: Int { model.rowsPerBatch }

    public func advance(_ batch: inout AdvanceBatch) {
        var inner = AdvanceBatch(
            count: batch.count, model: model, forecastCount: forecastCount, wantsForecasts: true)
        swapInputs(&batch, &inner)
        let wantsForecasts = batch.wantsForecasts
        batch.states.withUnsafeMutableBufferPointer { states in
            batch.forecasts.withUnsafeMutableBufferPointer { forecasts in
                guard let states = states.baseAddress else { return }
                let rows = (0..<inner.count).map { row in
                    ServedRow(
                        state: states + row * stateCount,
                        forecast: wantsForecasts ? forecasts.baseAddress.map { $0 + row * forecastCount } : nil)
                }
                advance(rows, in: &inner)
            }
        }
        batch.absent = inner.absent
        swapInputs(&batch, &inner)
    }

    /// Steps rows whose states are in separate memory locations, copying only the model's part of each state.
    ///
    /// - Parameters:
    ///   - rows: as many as in `inner`. The state of a row that `inner` marks as absent afterwards is unchanged.
    ///   - inner: a batch of ``model`` with storage for forecasts; its states are filled in here.
    package func advance(_ rows: [ServedRow], in inner: inout AdvanceBatch) {
        let count = model.stateCount
        inner.wantsForecasts = inner.values.contains { !$0.isNaN } || rows.contains { $0.forecast != nil }
        inner.states.withUnsafeMutableBufferPointer { states in
            guard let states = states.baseAddress else { return }
            for (index, row) in rows.enumerated() { (states + index * count).update(from: row.state, count: count) }
        }
        model.advance(&inner)
        inner.states.withUnsafeBufferPointer { states in
            guard let states = states.baseAddress else { return }
            for (index, row) in rows.enumerated() where !inner.absent[index] {
                row.state.update(from: states + index * count, count: count)
            }
        }
        score(rows, inner)
    }

    /// The forecasts of each expert at a step of one row, before mixing and calibration:
    /// `[experts][horizon][quantiles]`; nil if the model did not answer.
    public func expertForecasts(in step: AdvanceBatch) -> [Float]? {
        var (step, inner) = (
            step, AdvanceBatch(count: 1, model: model, forecastCount: forecastCount, wantsForecasts: true)
        )
        swapInputs(&step, &inner)
        inner.states = Array(step.states.prefix(model.stateCount))
        model.advance(&inner)
        return inner.absent[0] ? nil : inner.forecasts
    }

    /// Swaps the inputs between `batch` and `inner` without copying; a second call swaps them back.
    private func swapInputs(_ batch: inout AdvanceBatch, _ inner: inout AdvanceBatch) {
        swap(&batch.series, &inner.series)
        swap(&batch.slots, &inner.slots)
        swap(&batch.values, &inner.values)
        swap(&batch.lagged, &inner.lagged)
        swap(&batch.calendar, &inner.calendar)
    }

    private func score(_ rows: [ServedRow], _ inner: AdvanceBatch) {
        guard let first = rows.first else { return }
        var discarded = [Float](repeating: 0, count: forecastCount)
        discarded.withUnsafeMutableBufferPointer { discarded in
            inner.forecasts.withUnsafeBufferPointer { expertForecasts in
                var state = ScoreState(layout, mix, at: first.state)
                for (index, row) in rows.enumerated() where !inner.absent[index] {
                    state.floats = row.state + model.stateCount
                    score(
                        state, inner, index, expertForecasts.baseAddress, to: row.forecast ?? discarded.baseAddress,
                        isWanted: row.forecast != nil)
                }
            }
        }
    }

    private func score(
        _ state: ScoreState, _ inner: AdvanceBatch, _ row: Int, _ expertForecasts: UnsafePointer<Float>?,
        to out: UnsafeMutablePointer<Float>?, isWanted: Bool
    ) {
        let (value, slot) = (inner.values[row], inner.slots[row])
        state.observe(value, slot: slot, cadenceSeconds: inner.calendar[row].cadenceSeconds)
        if value.isNaN { state.issueNothing() }
        guard inner.wantsForecasts, isWanted || !value.isNaN, let expertForecasts, let out else { return }
        state.issue(
            expertForecasts + row * layout.experts * forecastCount, slot: slot, isScored: !value.isNaN, to: out)
    }
}

extension ServedModel: ExplainableModel {
    public func findings(of steps: [AdvanceBatch]) -> [StateFinding] {
        guard let model = model as? any ExplainableModel else { return [] }
        return model.findings(
            of: steps.map { step in
                var modelStep = step
                modelStep.states = Array(step.states.prefix(model.stateCount))
                return modelStep
            })
    }
}

/// The memory of one row's state, and of its forecast.
package struct ServedRow {
    /// `[stateCount]`
    var state: UnsafeMutablePointer<Float>
    /// `[forecastCount]`; nil if no forecast is wanted.
    var forecast: UnsafeMutablePointer<Float>?

    package init(state: UnsafeMutablePointer<Float>, forecast: UnsafeMutablePointer<Float>?) {
        (self.state, self.forecast) = (state, forecast)
    }
}
