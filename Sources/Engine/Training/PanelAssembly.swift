import Basics
import Forecasting
import Storage
import TimeSeries

/// Assembles the newest slots of some series into a training panel; includes late readings.
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
        let columnsByID = Dictionary(keepingFirst: columns.map { ($0.id, $0) })
        let starts = columnsByID.mapValues { $0.cadence.start(of: $0.frontier - Int64(slots) + 1) }
        // One series at a time: the readings of ten thousand would take a hundred megabytes.
        var seriesByID: [SeriesID: Panel.Series] = [:]
        try store.eachHistory(of: starts, through: .max) { id, readings in
            var kept = KeptReadings()
            for item in readings {
                _ = kept.insert(
                    .init(timestamp: item.reading.timestamp, value: item.reading.value, position: item.position))
            }
            seriesByID[id] = columnsByID[id].flatMap { series($0, kept) }
        }
        return Panel(series: columns.compactMap { seriesByID[$0.id] })
    }

    private func series(_ column: Column, _ readings: KeptReadings) -> Panel.Series? {
        let oldest = column.frontier - Int64(self.slots) + 1
        guard let first = readings.firstSlot(from: oldest, cadence: column.cadence) else { return nil }
        let slots = first...max(first, column.frontier)
        let values = slots.map { slot in
            column.aggregate(readings.values(in: slot, cadence: column.cadence)).map { Float(slotValue: $0) } ?? .nan
        }
        let offsets = slots.map { calendar.utcOffset(column.cadence.start(of: $0).seconds) }
        return Panel.Series(
            id: column.id, key: column.key.description, cadence: column.cadence, start: first, values: values,
            utcOffsets: offsets)
    }
}
