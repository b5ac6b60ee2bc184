import Storage
import TimeSeries

/// The columns of a forecaster's training panel: its series that have a cadence, in the order of their IDs.
struct ListTrainingColumns: WriterCommand {
    let forecaster: String

    func run(on writer: Writer) -> (columns: [PanelAssembly.Column], calendar: LocalCalendar) {
        let columns = writer.entries.values.compactMap { entry -> PanelAssembly.Column? in
            guard entry.forecaster == forecaster, let cadence = entry.cadence, let frontier = entry.frontier else {
                return nil
            }
            return PanelAssembly.Column(
                id: entry.id, key: entry.key, cadence: cadence, aggregate: entry.rule.aggregate, frontier: frontier)
        }
        return (columns.sorted { $0.id < $1.id }, writer.configuration.calendar)
    }
}

/// Stores how a training run ended.
struct RecordTraining: WriterCommand {
    let started: Timestamp
    /// When and how it ended.
    let event: ModelEvent

    func run(on writer: Writer) throws {
        var record = try writer.store.schedule()[event.forecaster] ?? ScheduleRecord(forecaster: event.forecaster)
        record.lastStarted = started
        record.lastFinished = event.at
        record.lastOutcome = event.text
        let new = record
        try writer.write { transaction in
            try transaction.setSchedule(new)
            try transaction.addModelEvent(event)
        }
    }
}
