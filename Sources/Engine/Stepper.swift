import Forecasting
import TimeSeries

/// Steps many series together: one batch per model and round.
///
/// Rows do not depend on who shares the batch, so the order of the series and the size of the batches change no bit.
struct Stepper {
    let calendar: LocalCalendar
    /// Rows per call of a model; more gain nothing and cost memory.
    private static let batchLimit = 4_096

    /// Advances `series`, at most `rounds` steps each.
    ///
    /// - Returns: those that have more to do.
    func advance(_ series: [SeriesState], rounds: Int) -> [SeriesState] {
        var active = series
        for _ in 0..<rounds {
            let due = active.compactMap { state in state.nextStep().map { (state, $0) } }
            if due.isEmpty { return [] }
            for group in Self.grouped(due) { step(group) }
            active = due.map(\.0)
        }
        return active.filter { $0.nextStep() != nil }
    }

    private typealias Due = (state: SeriesState, step: SeriesState.Step)

    private struct GroupKey: Hashable {
        var model: ObjectIdentifier
        var isOpen: Bool
    }

    private static func grouped(_ due: [Due]) -> [[Due]] {
        var places: [GroupKey: Int] = [:]
        var groups: [[Due]] = []
        for item in due {
            guard let model = item.state.track?.model else { continue }
            let key = GroupKey(model: ObjectIdentifier(model), isOpen: item.step.isOpen)
            if let place = places[key], groups[place].count < batchLimit {
                groups[place].append(item)
            } else {
                places[key] = groups.count
                groups.append([item])
            }
        }
        return groups
    }

    private func step(_ group: [Due]) {
        guard let track = group.first?.state.track, let isOpen = group.first?.step.isOpen else { return }
        let model = track.model
        let forecastCount = track.version.specification.forecastCount
        var batch = AdvanceBatch(
            count: group.count, model: model, forecastCount: forecastCount, wantsForecasts: isOpen)
        for (row, due) in group.enumerated() { fill(&batch, row: row, with: due, lags: model.lags) }
        model.advance(&batch)
        for (row, due) in group.enumerated() {
            let state = Array(batch.states[row * model.stateCount..<(row + 1) * model.stateCount])
            let forecast = isOpen ? Array(batch.forecasts[row * forecastCount..<(row + 1) * forecastCount]) : []
            due.state.finish(due.step, state: state, forecast: forecast)
        }
    }

    private func fill(_ batch: inout AdvanceBatch, row: Int, with due: Due, lags: [Int]) {
        guard let track = due.state.track, let cadence = due.state.cadence else { return }
        let width = track.head.state.count
        batch.states.replaceSubrange(row * width..<(row + 1) * width, with: track.head.state)
        batch.values[row] = due.step.value
        for (place, lag) in lags.enumerated() {
            batch.lagged[row * lags.count + place] = due.state.values[due.step.slot - Int64(lag)]
        }
        batch.calendar[row] = calendar.time(of: due.step.slot, cadence: cadence)
    }

    /// The forecast of a series whose newest reading is older than `slot`: its newest state stepped through the missing
    /// slots up to there, on a copy that is thrown away.
    func rollForward(_ series: SeriesState, to slot: Slot) -> (origin: Slot, values: [Float])? {
        guard let track = series.track, let open = track.open, let cadence = series.cadence else { return nil }
        let missing = min(Int64(series.maxGap), slot - open.slot)
        guard missing > 0 else { return (open.slot, open.forecast) }
        var batch = AdvanceBatch(
            count: 1, model: track.model, forecastCount: track.version.specification.forecastCount,
            wantsForecasts: true)
        batch.states = open.state
        for step in (slot - missing + 1)...slot {
            batch.values[0] = .nan
            for (place, lag) in track.model.lags.enumerated() {
                let lagged = step - Int64(lag)
                batch.lagged[place] = lagged == open.slot ? open.value : series.values[lagged]
            }
            batch.calendar[0] = calendar.time(of: step, cadence: cadence)
            track.model.advance(&batch)
        }
        return (slot, batch.forecasts)
    }
}
