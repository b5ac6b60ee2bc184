import Forecasting
import TimeSeries

/// Steps many series together: one batch per model and round.
///
/// Rows are independent of the other rows in a batch, so the order of the series and the size of the batches do not
/// change a bit of the results. Owned by one shard thread, with the memory of its batches.
final class Stepper {
    private var groups: [Group] = []
    /// The calendar time computed last: most series of a batch need the same.
    private var cachedTime: (slot: Slot, cadence: Cadence, calendar: ObjectIdentifier, time: CalendarTime)?
    /// The calendar of ``cachedTime``, retained so that no other object gets its identity, which is compared without
    /// reference counting.
    private var cachedCalendar: LocalCalendar?

    /// Rows that one call of a model steps.
    private struct Group {
        let version: LoadedVersion
        let modelID: ObjectIdentifier
        let isOpen: Bool
        let capacity: Int
        var rows: [(state: SeriesHandle, step: SeriesState.Step)] = []
        /// The buffers in which each row is stepped.
        var servedRows: [ServedRow] = []
        /// The batch of the model itself, without mix, calibration and scores.
        var batch: AdvanceBatch

        init(version: LoadedVersion, isOpen: Bool) {
            (self.version, self.isOpen, capacity) = (version, isOpen, version.model.rowsPerBatch)
            modelID = ObjectIdentifier(version)
            batch = AdvanceBatch(count: 0, model: version.model.model, forecastCount: 0, wantsForecasts: false)
        }
    }

    /// Advances `series`, at most `rounds` steps each.
    ///
    /// - Returns: those that may have more steps to do.
    func advance(_ series: [SeriesHandle], rounds: Int) -> [SeriesHandle] {
        var active = series
        for _ in 0..<rounds where !active.isEmpty { active = round(active) }
        return active
    }

    /// Releases all models, because some may no longer be in use; the others return with the next step.
    func releaseModels() { groups = [] }

    /// One step of each series.
    ///
    /// - Returns: those that have not reached their newest slot yet.
    private func round(_ series: [SeriesHandle]) -> [SeriesHandle] {
        var active: [SeriesHandle] = []
        var groupIndex = 0
        for state in series {
            guard let runningState = state.runningState, let next = state.nextStep() else { continue }
            if !next.isOpen { active.append(state) }
            guard !next.isAbsent else {
                // Replays the slot exactly as the step whose model did not respond.
                _ = state.begin(next)
                state.skip(next)
                continue
            }
            groupIndex = self.groupIndex(of: runningState, isOpen: next.isOpen, guess: groupIndex)
            groups[groupIndex].rows.append((state, next))
            if groups[groupIndex].rows.count == groups[groupIndex].capacity { step(&groups[groupIndex]) }
        }
        for groupIndex in groups.indices where !groups[groupIndex].rows.isEmpty { step(&groups[groupIndex]) }
        return active
    }

    private func groupIndex(of runningState: RunningStateHandle, isOpen: Bool, guess: Int) -> Int {
        let model = runningState.modelID
        func fits(_ group: Group) -> Bool { group.modelID == model && group.isOpen == isOpen }
        if guess < groups.count, fits(groups[guess]) { return guess }
        if let existing = groups.firstIndex(where: fits) { return existing }
        groups.append(Group(version: runningState.version, isOpen: isOpen))
        return groups.count - 1
    }

    private func step(_ group: inout Group) {
        let (model, lags) = (group.version.model, group.version.model.lags)
        group.batch.reset(
            count: group.rows.count, model: model.model, forecastCount: group.version.specification.forecastCount,
            wantsForecasts: true)
        group.servedRows.removeAll(keepingCapacity: true)
        for (row, entry) in group.rows.enumerated() {
            fill(&group.batch, row: row, with: entry, lags)
            if let servedRow = entry.state.begin(entry.step) { group.servedRows.append(servedRow) }
        }
        model.advance(group.servedRows, in: &group.batch)
        for (row, entry) in group.rows.enumerated() {
            entry.state.end(entry.step, isAbsent: group.batch.absent[row])
        }
        group.rows.removeAll(keepingCapacity: true)
    }

    /// Fills a row with the inputs of a step.
    func fill(
        _ batch: inout AdvanceBatch, row: Int, with entry: (state: SeriesHandle, step: SeriesState.Step), _ lags: [Int]
    ) {
        guard let cadence = entry.state.cadence, let runningState = entry.state.runningState else { return }
        batch.series[row] = entry.state.id
        batch.slots[row] = entry.step.slot
        batch.values[row] = entry.step.value
        for (index, lag) in lags.enumerated() {
            batch.lagged[row * lags.count + index] = entry.state.values[entry.step.slot - Int64(lag)]
        }
        batch.calendar[row] = time(of: entry.step.slot, cadence, runningState)
    }

    func time(of slot: Slot, _ cadence: Cadence, _ runningState: RunningStateHandle)
        -> CalendarTime
    {
        let calendar = runningState.calendarID
        if let cachedTime, cachedTime.slot == slot, cachedTime.cadence == cadence, cachedTime.calendar == calendar {
            return cachedTime.time
        }
        let time = runningState.calendar.time(of: slot, cadence: cadence)
        cachedTime = (slot, cadence, calendar, time)
        cachedCalendar = runningState.calendar
        return time
    }
}
