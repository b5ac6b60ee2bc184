import GRDB

extension Database {
    /// The rows of a query, each turned into a value at once: a copy of a row looks up its columns much more slowly.
    func rows<Value>(
        _ sql: String, _ arguments: StatementArguments = [], _ value: (Row) throws -> Value
    ) throws -> [Value] {
        let cursor = try Row.fetchCursor(cachedStatement(sql: sql), arguments: arguments)
        var values: [Value] = []
        while let row = try cursor.next() { values.append(try value(row)) }
        return values
    }
}

// GRDB's own subscripts trap on a value of another type, which a damaged or hand-edited row may hold.
extension Row {
    /// The value of a column; nil if it is of another type. For rows whose checksum is checked afterwards.
    func value<Value: DatabaseValueConvertible>(_ column: String, as _: Value.Type = Value.self) -> Value? {
        (self[column] as DatabaseValue?).flatMap { Value.fromDatabaseValue($0) }
    }

    /// The value of a column.
    ///
    /// - Throws: ``StorageError/damagedTable(name:reason:)`` if it is of another type.
    func value<Value: DatabaseValueConvertible>(
        _ column: String, in table: String, as _: Value.Type = Value.self
    ) throws(StorageError) -> Value {
        // GRDB would convert 0.5 to 0.
        guard let value: Value = value(column), value.databaseValue == self[column] else {
            throw mismatch(column, table, Value.self)
        }
        return value
    }

    /// The value of a column; nil if it is NULL.
    ///
    /// - Throws: ``StorageError/damagedTable(name:reason:)`` if it is of another type.
    func optional<Value: DatabaseValueConvertible>(
        _ column: String, in table: String, as _: Value.Type = Value.self
    ) throws(StorageError) -> Value? {
        if let found = self[column] as DatabaseValue?, found.isNull { return nil }
        return try value(column, in: table, as: Value.self)
    }

    private func mismatch(_ column: String, _ table: String, _ kind: Any.Type) -> StorageError {
        let found = (self[column] as DatabaseValue?).map { "\($0)" } ?? "nothing"
        return .damagedTable(name: table, reason: "\(column) is \(found) where \(kind) is expected")
    }
}
