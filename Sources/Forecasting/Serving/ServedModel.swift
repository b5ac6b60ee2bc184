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

    public init(_ model: any ForecastModel, specification: ForecastSpecification) {
        self.model = model
        layout = ScoreLayout(experts: model.experts.count, specification: specification)
        mix = ExpertMix(model.experts)
        forecastCount = specification.forecastCount
        stateCount = model.stateCount + layout.count
        initialState = model.initialState + layout.initial(priors: mix.priors)
        lags = model.lags
    }

    public var summary: String { model.summary }
    public var rowsPerBatch: Int { model.rowsPerBatch }

    public func advance(_ batch: inout AdvanceBatch) {
        var inner = AdvanceBatch(
            count: batch.count, model: model, forecastCount: forecastCount,
            wantsForecasts: batch.wantsForecasts || batch.values.contains { !$0.isNaN })
        exchange(&batch, &inner)
        copyStates(batch, to: &inner)
        model.advance(&inner)
        copyStates(inner, to: &batch)
        batch.absent = inner.absent
        score(&batch, inner)
        exchange(&batch, &inner)
    }

    /// What each expert forecasts at a step of one row, as it is before mixing and calibration:
    /// `[experts][horizon][quantiles]`; nil if the model has no answer.
    public func opinions(in step: AdvanceBatch) -> [Float]? {
        var (step, inner) = (
            step, AdvanceBatch(count: 1, model: model, forecastCount: forecastCount, wantsForecasts: true)
        )
        exchange(&step, &inner)
        copyStates(step, to: &inner)
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

    /// Copies the model's own part of every row's state.
    private func copyStates(_ source: AdvanceBatch, to target: inout AdvanceBatch) {
        let (from, to) = (source.states.count / max(1, source.count), target.states.count / max(1, target.count))
        source.states.withUnsafeBufferPointer { source in
            target.states.withUnsafeMutableBufferPointer { states in
                guard let source = source.baseAddress, let states = states.baseAddress else { return }
                for row in 0..<target.count {
                    (states + row * to).update(from: source + row * from, count: model.stateCount)
                }
            }
        }
    }

    private func score(_ batch: inout AdvanceBatch, _ inner: AdvanceBatch) {
        let (wantsForecasts, modelCount) = (batch.wantsForecasts, model.stateCount)
        var unwanted = [Float](repeating: 0, count: wantsForecasts ? 0 : forecastCount)
        batch.states.withUnsafeMutableBufferPointer { states in
            batch.forecasts.withUnsafeMutableBufferPointer { forecasts in
                unwanted.withUnsafeMutableBufferPointer { unwanted in
                    inner.forecasts.withUnsafeBufferPointer { opinions in
                        guard let states = states.baseAddress else { return }
                        var state = ScoreState(layout, mix, at: states)
                        for row in 0..<inner.count where !inner.absent[row] {
                            state.floats = states + row * stateCount + modelCount
                            let out = wantsForecasts ? forecasts.baseAddress.map { $0 + row * forecastCount } : nil
                            score(
                                state, inner, row, opinions.baseAddress, to: out ?? unwanted.baseAddress,
                                isWanted: wantsForecasts)
                        }
                    }
                }
            }
        }
    }

    private func score(
        _ state: ScoreState, _ inner: AdvanceBatch, _ row: Int, _ opinions: UnsafePointer<Float>?,
        to out: UnsafeMutablePointer<Float>?, isWanted: Bool
    ) {
        let (value, slot) = (inner.values[row], inner.slots[row])
        state.take(value, slot: slot, cadenceSeconds: inner.calendar[row].cadenceSeconds)
        if value.isNaN { state.issueNothing() }
        guard inner.wantsForecasts, isWanted || !value.isNaN, let opinions, let out else { return }
        state.issue(
            opinions + row * layout.experts * forecastCount, slot: slot, isScored: !value.isNaN, to: out)
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
