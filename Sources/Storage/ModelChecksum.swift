import GRDB

/// The checksum of a row of `model_version`: of all that is said of the weights, then the weights themselves.
///
/// A version with other parameters than it was trained with would be another model.
enum ModelChecksum {
    private static let columns = [
        "id", "forecaster", "number", "method", "method_version", "parameters", "parent", "created_at", "window_start",
        "window_end", "metrics",
    ]

    static func of(_ row: Row, _ weights: [UInt8]) -> UInt32 {
        var writer = ByteWriter(capacity: weights.count + 1_024)
        for column in columns {
            switch (row[column] as DatabaseValue).storage {
            case .null: writer.text("")
            case .int64(let value): writer.text("i\(value)")
            case .double(let value): writer.text("d\(value.bitPattern)")
            case .string(let value): writer.text("s" + value)
            case .blob(let value): writer.append([UInt8](value))
            }
        }
        return CRC32C.checksum(writer.bytes + weights)
    }

    /// Writes the checksum of a row that was just made.
    static func write(_ db: Database, version: Int64, _ weights: [UInt8]) throws {
        let columns = columns.joined(separator: ", ")
        let sql = "SELECT \(columns) FROM model_version WHERE id = ?"
        guard let row = try Row.fetchOne(db, sql: sql, arguments: [version]) else { return }
        try db.execute(
            sql: "UPDATE model_version SET crc32c = ? WHERE id = ?", arguments: [Int64(of(row, weights)), version])
    }
}
