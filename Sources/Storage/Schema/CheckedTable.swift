package import GRDB

extension Store {
    /// Gives a connection the SQL functions that our schema uses.
    package static func addFunctions(to db: Database) { db.add(function: CheckedTable.function) }
}

/// Tables whose rows hold a checksum of all their other columns, computed and compared in SQL by a function of ours.
///
/// docs/decisions/0009 lists every table and what checks it.
enum CheckedTable: String, CaseIterable {
    case series, epoch, champion, outage, schedule, clock
    case journalEnd = "journal_end"
    case modelVersion = "model_version"
    case modelEvent = "model_event"

    /// CRC-32C of the values in order: the type and digits of a number, the length and bytes of a text, and the bytes
    /// of a blob, which comes last.
    static let function = DatabaseFunction("row_checksum", pure: true) { values in
        var writer = ByteWriter(capacity: 16 * values.count)
        for value in values {
            switch value.storage {
            case .null: writer.text("")
            case .int64(let value): writer.text("i\(value)")
            case .double(let value): writer.text("d\(value.bitPattern)")
            case .string(let value): writer.text("s" + value)
            case .blob(let value): writer.append([UInt8](value))
            }
        }
        return Int64(CRC32C.checksum(writer.bytes))
    }

    private var columns: String {
        switch self {
        case .series: "id, key, aggregate, forecaster, cadence, lateness, created_at, sealed, heard_at"
        case .epoch:
            "id, series, version, from_slot, warm_up, position, reason, stands_for_method, stands_for_version, "
                + "created_at, max_gap, time_zone, aggregate"
        case .champion: "forecaster, version"
        case .outage: "series, epoch, from_slot, to_slot"
        case .schedule: "forecaster, next_due, last_started, last_finished, last_outcome"
        case .journalEnd: "id, position, newest, whole_from"
        // A version with other parameters than it was trained with would be another model.
        case .modelVersion:
            "id, forecaster, number, method, method_version, parameters, parent, created_at, window_start, window_end, "
                + "metrics, weights"
        case .clock: "id, settled, expired"
        case .modelEvent: "id, forecaster, at, kind, version, series, text"
        }
    }

    /// SQL: the row is as it was written.
    var checksumMatches: String { "crc32c IS row_checksum(\(columns))" }

    /// Sets the checksums of rows that were just written.
    func updateChecksums(_ db: Database, where condition: String, _ arguments: StatementArguments) throws {
        let sql = "UPDATE \(rawValue) SET crc32c = row_checksum(\(columns)) WHERE \(condition)"
        try db.cachedStatement(sql: sql).execute(arguments: arguments)
    }

    /// - Throws: ``StorageError/damagedTable(name:reason:)`` with the first row that is not as it was written.
    func check(_ db: Database) throws {
        let sql = "SELECT * FROM \(rawValue) WHERE NOT (\(checksumMatches)) LIMIT 1"
        guard let row = try Row.fetchOne(db, sql: sql) else { return }
        throw StorageError.damagedTable(name: rawValue, reason: "a row is not as it was written: \(row)")
    }
}
