import Forecasting
import TimeSeries

/// Steps on copies that are thrown away: forecasts from slots that have no reading yet.
extension Stepper {
    /// The forecast of a series from `slot`, for which a temporary copy of its newest state is stepped through the
    /// missing slots.
    func rollForward(_ series: SeriesHandle, to slot: Slot) -> (origin: Slot, values: [Float])? {
        guard let runningState = series.runningState, let open = runningState.open else { return nil }
        guard slot > open.slot, series.maxGap > 0 else {
            return (open.slot, Array(runningState.forecast))
        }
        guard var batch = newestStep(of: series, to: slot) else { return nil }
        runningState.model.advance(&batch)
        return batch.absent[0] ? nil : (slot, batch.forecasts)
    }

    /// The forecast of each expert of a series' model from `slot`, `[experts][horizon][quantiles]`; nil before the
    /// first forecast.
    func expertForecasts(on series: SeriesHandle, at slot: Slot) -> [Float]? {
        guard let model = series.runningState?.model, let batch = newestStep(of: series, to: slot)
        else {
            return nil
        }
        return model.expertForecasts(in: batch)
    }

    /// A batch for the step into `slot` on a copy of the state, after stepping the missing slots before it; if `slot`
    /// is not after the open slot, for the step into that.
    private func newestStep(of series: SeriesHandle, to slot: Slot) -> AdvanceBatch? {
        guard let runningState = series.runningState, let open = runningState.open,
            let cadence = series.cadence
        else { return nil }
        var batch = AdvanceBatch(
            count: 1, model: runningState.model,
            forecastCount: runningState.version.specification.forecastCount,
            wantsForecasts: true)
        let missing = min(Int64(series.maxGap), slot - open.slot)
        guard missing > 0 else {
            let step = SeriesState.Step(slot: open.slot, value: open.value, isOpen: true)
            fill(&batch, row: 0, with: (series, step), runningState.model.lags)
            batch.states = Array(runningState.headState)
            return batch
        }
        batch.states = runningState.newestState
        batch.series[0] = series.id
        for step in (slot - missing + 1)...slot {
            batch.slots[0] = step
            batch.values[0] = .nan
            for (index, lag) in runningState.model.lags.enumerated() {
                let lagged = step - Int64(lag)
                batch.lagged[index] = lagged == open.slot ? open.value : series.values[lagged]
            }
            batch.calendar[0] = time(of: step, cadence, runningState)
            guard step < slot else { break }
            runningState.model.advance(&batch)
            if batch.absent[0] { return nil }
        }
        return batch
    }
}
