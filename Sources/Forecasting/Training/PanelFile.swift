#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A panel as two files that every language can read: the values as NumPy's format 1.0, float64 `[series][slots]` with
/// NaN where there is none, and an index in JSON with one ``TrainingOrder/Column`` a row.
public enum PanelFile {
    public static func write(_ panel: Panel, values: URL, index: URL) throws {
        try Data(NPY.encode(panel.series.map { $0.values.map { Double($0) } })).write(to: values)
        try JSONEncoder().encode(panel.series.map(TrainingOrder.Column.init)).write(to: index)
    }

    /// - Throws: ``ForecastingError/badFile(_:reason:)``, or what reading and decoding throw.
    public static func read(values: URL, index: URL) throws -> Panel {
        let columns = try JSONDecoder().decode([TrainingOrder.Column].self, from: Data(contentsOf: index))
        return try read(values: values, columns: columns)
    }

    static func read(values: URL, columns: [TrainingOrder.Column]) throws -> Panel {
        let rows = try NPY.decode([UInt8](Data(contentsOf: values)))
        guard rows.count == columns.count else {
            throw ForecastingError.badFile(
                values.lastPathComponent, reason: "\(rows.count) rows for \(columns.count) series")
        }
        return Panel(
            series: zip(columns, rows).map { column, row in
                column.series(row.prefix(column.count).map { Float($0) })
            })
    }
}
