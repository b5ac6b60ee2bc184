import GRDB
public import TimeSeries

/// A row of `model_event`: how a training run of a forecaster ended, or a change of what serves its series.
public struct ModelEvent: Sendable, Hashable {
    public enum Kind: String, Sendable, CaseIterable {
        /// A run that made a version.
        case training
        /// A run that did not.
        case failure
        /// Series got another version, or the same one anew; or none.
        case change
        /// A promotion or a rollback that could not be made.
        case refusal
    }

    public var forecaster: String
    public var at: Timestamp
    public var kind: Kind
    /// The version's number within the forecaster; nil if there is none.
    public var version: Int?
    /// How many series it is about.
    public var series: Int
    /// One sentence for people.
    public var text: String

    public init(forecaster: String, at: Timestamp, kind: Kind, version: Int?, series: Int, text: String) {
        self.forecaster = forecaster
        self.at = at
        self.kind = kind
        self.version = version
        self.series = series
        self.text = text
    }

    /// Rows kept of each forecaster.
    public static let kept = 1_000
    /// Characters kept of a text: a plugin's last words may be long.
    static let longestText = 2_000
}

extension WriteTransaction {
    /// Notes an event, and drops the oldest of its forecaster beyond the newest ``ModelEvent/kept``.
    public func addModelEvent(_ event: ModelEvent) throws {
        try db.cachedStatement(
            sql:
                "INSERT INTO model_event (forecaster, at, kind, version, series, text, crc32c) VALUES (?, ?, ?, ?, ?, ?, 0)"
        ).execute(arguments: [
            event.forecaster, event.at.nanoseconds, event.kind.rawValue, event.version, event.series,
            String(event.text.prefix(ModelEvent.longestText)),
        ])
        try CheckedTable.modelEvent.updateChecksums(db, where: "id = ?", [db.lastInsertedRowID])
        try db.cachedStatement(
            sql: """
                DELETE FROM model_event WHERE forecaster = ?1 AND id <= (
                    SELECT id FROM model_event WHERE forecaster = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)
                """
        ).execute(arguments: [event.forecaster, ModelEvent.kept])
    }
}

extension Store {
    /// The newest events of a forecaster, oldest first. Damaged rows are left out; a scrub reports them.
    public func modelEvents(of forecaster: String, limit: Int) throws -> [ModelEvent] {
        let sql = """
            SELECT * FROM model_event WHERE forecaster = ? AND \(CheckedTable.modelEvent.checksumMatches) ORDER BY id DESC LIMIT ?
            """
        let rows = try read { try Row.fetchAll($0, sql: sql, arguments: [forecaster, limit]) }
        return try rows.reversed().compactMap { row in
            let table = CheckedTable.modelEvent.rawValue
            let kind: String = try row.value("kind", in: table)
            return try ModelEvent.Kind(rawValue: kind).map {
                ModelEvent(
                    forecaster: forecaster, at: Timestamp(nanoseconds: try row.value("at", in: table)), kind: $0,
                    version: try row.optional("version", in: table), series: try row.value("series", in: table),
                    text: try row.value("text", in: table))
            }
        }
    }
}
