import GRDB

extension Row {
    /// The value of a column; nil if it is of another kind, as it may be in a damaged row.
    ///
    /// GRDB's own subscripts trap then.
    func value<Value: DatabaseValueConvertible>(_ column: String, as _: Value.Type = Value.self) -> Value? {
        (self[column] as DatabaseValue?).flatMap { Value.fromDatabaseValue($0) }
    }
}
