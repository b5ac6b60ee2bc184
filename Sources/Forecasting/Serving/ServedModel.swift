public import TimeSeries

/// A model as the daemon serves it: its experts mixed, its intervals calibrated, its forecasts held against what came,
/// series by series.
///
/// Itself a ``ForecastModel`` with one expert: what mixing, calibration and scores remember is part of the state, behind
/// the model's own, `[model state | score state]`. So checkpoints, replays, late readings and backtests need nothing more
/// to give the same bits. Thread-safe.
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
        exchange(&batch, &inner)
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
        exchange(&batch, &inner)
    }

    /// Steps rows whose states lie each at a place of its own: nothing but the model's part of them is copied.
    ///
    /// - Parameters:
    ///   - rows: as many as `inner` has. The state of one that `inner` calls absent afterwards is as it was.
    ///   - inner: a batch of ``model``, with room for forecasts; its states are filled in here.
    package func advance(_ rows: [ServedRow], in inner: inout AdvanceBatch) {
        let count = model.stateCount
        inner.wantsForecasts = inner.values.contains { !$0.isNaN } || rows.contains { $0.forecast != nil }
        inner.states.withUnsafeMutableBufferPointer { states in
            guard let states = states.baseAddress else { return }
            for (place, row) in rows.enumerated() { (states + place * count).update(from: row.state, count: count) }
        }
        model.advance(&inner)
        inner.states.withUnsafeBufferPointer { states in
            guard let states = states.baseAddress else { return }
            for (place, row) in rows.enumerated() where !inner.absent[place] {
                row.state.update(from: states + place * count, count: count)
            }
        }
        score(rows, inner)
    }

    /// What each expert forecasts at a step of one row, as it is before mixing and calibration:
    /// `[experts][horizon][quantiles]`; nil if the model has no answer.
    public func expertForecasts(in step: AdvanceBatch) -> [Float]? {
        var (step, inner) = (
            step, AdvanceBatch(count: 1, model: model, forecastCount: forecastCount, wantsForecasts: true)
        )
        exchange(&step, &inner)
        inner.states = Array(step.states.prefix(model.stateCount))
        model.advance(&inner)
        return inner.absent[0] ? nil : inner.forecasts
    }

    /// Lends the inputs to `inner` without a copy, and takes them back.
    private func exchange(_ batch: inout AdvanceBatch, _ inner: inout AdvanceBatch) {
        swap(&batch.series, &inner.series)
        swap(&batch.slots, &inner.slots)
        swap(&batch.values, &inner.values)
        swap(&batch.lagged, &inner.lagged)
        swap(&batch.calendar, &inner.calendar)
    }

    private func score(_ rows: [ServedRow], _ inner: AdvanceBatch) {
        guard let first = rows.first else { return }
        var unwanted = [Float](repeating: 0, count: forecastCount)
        unwanted.withUnsafeMutableBufferPointer { unwanted in
            inner.forecasts.withUnsafeBufferPointer { expertForecasts in
                var state = ScoreState(layout, mix, at: first.state)
                for (place, row) in rows.enumerated() where !inner.absent[place] {
                    state.floats = row.state + model.stateCount
                    score(
                        state, inner, place, expertForecasts.baseAddress, to: row.forecast ?? unwanted.baseAddress,
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
        state.take(value, slot: slot, cadenceSeconds: inner.calendar[row].cadenceSeconds)
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
                var own = step
                own.states = Array(step.states.prefix(model.stateCount))
                return own
            })
    }
}

/// Where the state of one row lies, and where its forecast goes.
package struct ServedRow {
    /// `[stateCount]`
    var state: UnsafeMutablePointer<Float>
    /// `[forecastCount]`; nil where none is wanted.
    var forecast: UnsafeMutablePointer<Float>?

    package init(state: UnsafeMutablePointer<Float>, forecast: UnsafeMutablePointer<Float>?) {
        (self.state, self.forecast) = (state, forecast)
    }
}
