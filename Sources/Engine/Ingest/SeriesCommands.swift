import Storage
import TimeSeries

/// Removes series with their readings.
struct ForgetSeries: WriterCommand {
    let series: [SeriesID]

    func run(on writer: Writer) throws {
        try writer.write { try $0.deleteSeries(Set(series)) }
        writer.forget(series)
    }
}

/// Allows everything that has expired by now to be removed at once; returns the reference time of the expiry.
struct ConfirmExpiry: WriterCommand {
    func run(on writer: Writer) -> Timestamp { writer.expiry.confirm(at: writer) }
}

/// The series of a forecaster.
struct SeriesOfForecaster: WriterCommand {
    let name: String

    func run(on writer: Writer) -> [SeriesID] {
        writer.entries.values.filter { $0.forecaster == name }.map(\.id)
    }
}

/// The number of series per forecaster; forecasters without series are left out.
struct CountSeries: WriterCommand {
    func run(on writer: Writer) -> [String: Int] {
        writer.entries.values.reduce(into: [:]) { counts, entry in
            if let name = entry.forecaster { counts[name, default: 0] += 1 }
        }
    }
}
