#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A panel as two files that every language can read: the values as a NumPy 1.0 file, float64 `[series][slots]` with
/// NaN for missing values, and a JSON index with one ``TrainingRequest/Column`` per row.
public enum PanelFile {
    public static func write(_ panel: Panel, values: String, index: String, in folder: Directory) throws {
        try folder.write(NPY.encode(panel.series.map { $0.values.map { Double($0) } }), to: values)
        try folder.write([UInt8](JSONEncoder().encode(panel.series.map(TrainingRequest.Column.init))), to: index)
    }

    /// - Throws: ``ForecastingError/badFile(_:reason:)``, or the errors of reading and decoding.
    public static func read(values: URL, index: URL) throws -> Panel {
        let columns = try JSONDecoder().decode([TrainingRequest.Column].self, from: Data(contentsOf: index))
        return try read(
            values: values.lastPathComponent, in: Directory(opening: values.deletingLastPathComponent().path),
            columns: columns)
    }

    static func read(values: String, in folder: Directory, columns: [TrainingRequest.Column]) throws -> Panel {
        let rows = try NPY.decode(folder.read(values))
        guard rows.count == columns.count else {
            throw ForecastingError.badFile(values, reason: "\(rows.count) rows for \(columns.count) series")
        }
        return Panel(
            series: zip(columns, rows).map { column, row in
                column.series(row.prefix(column.count).map { Float($0) })
            })
    }
}
