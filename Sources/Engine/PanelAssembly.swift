import Forecasting
import Storage
import TimeSeries

/// The newest slots of some series as a panel to train on: every reading counts, late ones too.
struct PanelAssembly {
    struct Column: Sendable {
        var id: SeriesID
        var key: SeriesKey
        var cadence: Cadence
        var aggregate: Aggregate
        var frontier: Slot
    }

    let store: Store
    let calendar: LocalCalendar
    let slots: Int

    func run(_ columns: [Column]) throws -> Panel {
        let wanted = Dictionary(columns.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let starts = wanted.mapValues { $0.cadence.start(of: $0.frontier - Int64(slots) + 1) }
        var kept: [SeriesID: KeptReadings] = [:]
        try store.scanJournal(from: 1, notOlderThan: starts.values.min() ?? .distantFuture) { batch in
            for (offset, reading) in batch.readings.enumerated() {
                guard let start = starts[reading.series], reading.timestamp >= start else { continue }
                _ = kept[reading.series, default: KeptReadings()].insert(
                    .init(
                        timestamp: reading.timestamp, value: reading.value,
                        position: batch.firstPosition + JournalPosition(offset)))
            }
            return true
        }
        return Panel(series: columns.compactMap { column in kept[column.id].flatMap { series(column, $0) } })
    }

    private func series(_ column: Column, _ readings: KeptReadings) -> Panel.Series? {
        guard let first = readings.kept.first.map({ column.cadence.slot(of: $0.timestamp) }) else { return nil }
        let slots = first...max(first, column.frontier)
        let values = slots.map { slot in
            column.aggregate(readings.values(in: slot, cadence: column.cadence)).map { Float($0) } ?? .nan
        }
        let offsets = slots.map { calendar.utcOffset(column.cadence.start(of: $0).seconds) }
        return Panel.Series(
            id: column.id, key: column.key.description, cadence: column.cadence, start: first, values: values,
            utcOffsets: offsets)
    }
}
