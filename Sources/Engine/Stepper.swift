import Forecasting
import TimeSeries

/// Steps many series together: one batch per model and round.
///
/// Rows do not depend on who shares the batch, so the order of the series and the size of the batches change no bit.
/// Owned by one shard thread, with the memory of its batches.
final class Stepper {
    private let calendar: LocalCalendar
    private var groups: [Group] = []
    /// The place in the calendar that was asked for last: most series of a batch ask for the same.
    private var newest: (slot: Slot, cadence: Cadence, time: CalendarTime)?

    init(calendar: LocalCalendar) { self.calendar = calendar }

    /// Rows that one call of a model can step.
    private struct Group {
        let version: LoadedVersion
        let isOpen: Bool
        var rows: [(state: SeriesState, step: SeriesState.Step)] = []
        var batch: AdvanceBatch
    }

    /// Advances `series`, at most `rounds` steps each.
    ///
    /// - Returns: those that may have more to do.
    func advance(_ series: [SeriesState], rounds: Int) -> [SeriesState] {
        var active = series
        for _ in 0..<rounds where !active.isEmpty { active = round(active) }
        // Models come and go with promotions.
        if groups.count > 64 { groups = [] }
        return active
    }

    /// One step of each series.
    ///
    /// - Returns: those that have not reached their newest slot yet.
    private func round(_ series: [SeriesState]) -> [SeriesState] {
        var active: [SeriesState] = []
        var place = 0
        for state in series {
            guard let version = state.track?.version, let next = state.nextStep() else { continue }
            if !next.isOpen { active.append(state) }
            guard !next.isAbsent else {
                state.passOver(next)
                continue
            }
            place = self.place(of: version, isOpen: next.isOpen, guess: place)
            groups[place].rows.append((state, next))
            if groups[place].rows.count == version.model.rowsPerBatch { step(&groups[place]) }
        }
        for place in groups.indices where !groups[place].rows.isEmpty { step(&groups[place]) }
        return active
    }

    private func place(of version: LoadedVersion, isOpen: Bool, guess: Int) -> Int {
        func fits(_ group: Group) -> Bool { group.version === version && group.isOpen == isOpen }
        if guess < groups.count, fits(groups[guess]) { return guess }
        if let known = groups.firstIndex(where: fits) { return known }
        let batch = AdvanceBatch(count: 0, model: version.model, forecastCount: 0, wantsForecasts: isOpen)
        groups.append(Group(version: version, isOpen: isOpen, batch: batch))
        return groups.count - 1
    }

    private func step(_ group: inout Group) {
        let model = group.version.model
        let (stateCount, forecastCount) = (model.stateCount, group.version.specification.forecastCount)
        let lags = model.lags
        group.batch.reset(
            count: group.rows.count, model: model, forecastCount: forecastCount, wantsForecasts: group.isOpen)
        for (row, due) in group.rows.enumerated() { fill(&group.batch, row: row, with: due, stateCount, lags) }
        model.advance(&group.batch)
        group.batch.states.withUnsafeBufferPointer { states in
            group.batch.forecasts.withUnsafeBufferPointer { forecasts in
                for (row, due) in group.rows.enumerated() {
                    let forecast = forecasts.dropFirst(row * forecastCount).prefix(forecastCount)
                    due.state.finish(
                        due.step,
                        state: UnsafeBufferPointer(rebasing: states[row * stateCount..<(row + 1) * stateCount]),
                        forecast: UnsafeBufferPointer(rebasing: forecast), isAbsent: group.batch.absent[row])
                }
            }
        }
        group.rows.removeAll(keepingCapacity: true)
    }

    /// Puts the state before a step and the step's inputs into a row.
    func fill(
        _ batch: inout AdvanceBatch, row: Int, with due: (state: SeriesState, step: SeriesState.Step),
        _ stateCount: Int, _ lags: [Int]
    ) {
        guard let track = due.state.track, let cadence = due.state.cadence else { return }
        batch.states.withUnsafeMutableBufferPointer { states in
            _ = UnsafeMutableBufferPointer(rebasing: states[row * stateCount..<(row + 1) * stateCount])
                .update(fromContentsOf: track.headState)
        }
        batch.series[row] = due.state.id
        batch.slots[row] = due.step.slot
        batch.values[row] = due.step.value
        for (place, lag) in lags.enumerated() {
            batch.lagged[row * lags.count + place] = due.state.values[due.step.slot - Int64(lag)]
        }
        batch.calendar[row] = time(of: due.step.slot, cadence)
    }

    private func time(of slot: Slot, _ cadence: Cadence) -> CalendarTime {
        if let newest, newest.slot == slot, newest.cadence == cadence { return newest.time }
        let time = calendar.time(of: slot, cadence: cadence)
        newest = (slot, cadence, time)
        return time
    }

    /// The forecast of a series whose newest reading is older than `slot`: its newest state stepped through the missing
    /// slots up to there, on a copy that is thrown away.
    func rollForward(_ series: SeriesState, to slot: Slot) -> (origin: Slot, values: [Float])? {
        guard let track = series.track, let open = track.open else { return nil }
        guard slot > open.slot, series.maxGap > 0 else { return (open.slot, Array(track.forecast)) }
        guard var batch = newestStep(of: series, to: slot) else { return nil }
        track.model.advance(&batch)
        return batch.absent[0] ? nil : (slot, batch.forecasts)
    }

    /// What each expert of a series' model forecasts from `slot`, `[experts][horizon][quantiles]`; nil before the first
    /// forecast.
    func opinions(on series: SeriesState, at slot: Slot) -> [Float]? {
        guard let model = series.track?.model, let batch = newestStep(of: series, to: slot) else { return nil }
        return model.opinions(in: batch)
    }

    /// The step into the newest slot, or through the missing slots up to `slot`, on a copy: all but the last are made.
    private func newestStep(of series: SeriesState, to slot: Slot) -> AdvanceBatch? {
        guard let track = series.track, let open = track.open, let cadence = series.cadence else { return nil }
        var batch = AdvanceBatch(
            count: 1, model: track.model, forecastCount: track.version.specification.forecastCount,
            wantsForecasts: true)
        let missing = min(Int64(series.maxGap), slot - open.slot)
        guard missing > 0 else {
            let step = SeriesState.Step(slot: open.slot, value: open.value, isOpen: true)
            fill(&batch, row: 0, with: (series, step), track.model.stateCount, track.model.lags)
            return batch
        }
        batch.states = track.newestState
        batch.series[0] = series.id
        for step in (slot - missing + 1)...slot {
            batch.slots[0] = step
            batch.values[0] = .nan
            for (place, lag) in track.model.lags.enumerated() {
                let lagged = step - Int64(lag)
                batch.lagged[place] = lagged == open.slot ? open.value : series.values[lagged]
            }
            batch.calendar[0] = time(of: step, cadence)
            guard step < slot else { break }
            track.model.advance(&batch)
            if batch.absent[0] { return nil }
        }
        return batch
    }
}
