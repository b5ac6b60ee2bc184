import GRDB
import Storage

/// Turns a database at rest back into one of an older schema, as a daemon of that time would have left it.
///
/// The migrations are undone one by one. Columns are dropped in the reverse of the order in which they were added, so
/// that they come back in the same places; no table with automatic numbers is rebuilt, so the numbers go on as before.
/// The formats of journal, chunks and checkpoints stay as they are: readers tell them apart.
struct Downgrade {
    let path: String

    /// The oldest schema that holds all that a state depends on, as found in a database of the newest.
    ///
    /// Apart from the settings of the epochs: a start takes those from the configuration if the schema is older than 8.
    /// Scores, the history of models, the settled time, when readings last arrived, and damaged chunks that were put
    /// aside may be lost.
    func oldestPossible() throws -> Int {
        let queue = try open()
        let oldest = try queue.read { db in
            let needs = [(5, Self.unspeakableStandIns), (4, Self.outages), (2, Self.sealedReadings)]
            return try needs.first { try Bool.fetchOne(db, sql: "SELECT EXISTS (\($0.1))") ?? false }?.0 ?? 1
        }
        try queue.close()
        return oldest
    }

    /// The number of the newest epoch; 0 if there is none.
    func newestEpoch() throws -> Int64 {
        let queue = try open()
        defer { try? queue.close() }
        return try queue.read { try Int64.fetchOne($0, sql: "SELECT MAX(id) FROM epoch") ?? 0 }
    }

    /// Undoes all migrations after that to `schema` in one transaction, and moves everything from the log to the file.
    func run(to schema: Int) throws {
        let queue = try open()
        try queue.write { db in
            let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
            guard found <= Self.undoing.count + 1, 1 <= schema, schema <= found else {
                throw DatabaseError(message: "schema \(found) cannot be turned back into \(schema)")
            }
            for migration in stride(from: found, to: schema, by: -1) {
                try db.execute(sql: Self.undoing[migration - 2])
            }
            try db.execute(sql: "PRAGMA user_version = \(schema)")
        }
        try queue.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        try queue.close()
    }

    private func open() throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.prepareDatabase { Store.addFunctions(to: $0) }
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    // MARK: What older schemas cannot hold

    /// Stand-ins that the fifth migration would not find in the reason's text: it looks for a version's number within
    /// the forecaster of the version that serves, and for where the text begins.
    private static let unspeakableStandIns = """
        SELECT 1 FROM epoch WHERE instr(reason, ', in place of ') > 0
            OR (stands_for_method IS NOT NULL AND stands_for_version IS NOT NULL)
            OR instr(stands_for_method, 'version ') = 1
            OR (stands_for_version IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM model_version AS missing, model_version AS serving
                WHERE missing.id = stands_for_version AND serving.id = version
                    AND missing.forecaster = serving.forecaster))
        """
    private static let outages = "SELECT 1 FROM outage"
    /// Without chunks, there may still be sealed readings in the journal that expired as chunks: they would come back.
    private static let sealedReadings = "SELECT 1 FROM chunk UNION ALL SELECT 1 FROM series WHERE sealed > 0"

    // MARK: The migrations, undone

    /// What the checksums of schemas 6 and 7 cover.
    private static let series = "id, key, aggregate, forecaster, cadence, lateness, created_at, sealed"
    private static let epoch = """
        id, series, version, from_slot, warm_up, position, reason, stands_for_method, stands_for_version, created_at
        """
    private static let journalEnd = "id, position, newest"
    /// What the checksum of a model version covers since schema 6; before, it covered the weights alone.
    private static let modelVersion = """
        id, forecaster, number, method, method_version, parameters, parent, created_at, window_start, window_end,
        metrics, weights
        """

    /// SQL, from the undoing of the second migration on. A row that is not as it was written stays so.
    private static let undoing = [
        """
        DROP TABLE chunk;
        DROP TABLE quarantine;
        ALTER TABLE journal_end DROP COLUMN newest;
        ALTER TABLE series DROP COLUMN sealed;
        """,
        "DROP TABLE score",
        "DROP TABLE outage",
        """
        UPDATE epoch SET reason = reason || ', in place of version '
            || (SELECT number FROM model_version WHERE id = stands_for_version)
        WHERE stands_for_version IS NOT NULL;
        UPDATE epoch SET reason = reason || ', in place of ' || stands_for_method WHERE stands_for_method IS NOT NULL;
        ALTER TABLE epoch DROP COLUMN stands_for_version;
        ALTER TABLE epoch DROP COLUMN stands_for_method;
        """,
        """
        UPDATE model_version SET crc32c = row_checksum(weights) WHERE crc32c IS row_checksum(\(modelVersion));
        ALTER TABLE journal_end DROP COLUMN crc32c;
        ALTER TABLE schedule    DROP COLUMN crc32c;
        ALTER TABLE outage      DROP COLUMN crc32c;
        ALTER TABLE champion    DROP COLUMN crc32c;
        ALTER TABLE epoch       DROP COLUMN crc32c;
        ALTER TABLE series      DROP COLUMN crc32c;
        """,
        // The checksum does not depend on the place.
        """
        CREATE TABLE checkpoint_by_slot (
            series  INTEGER NOT NULL REFERENCES series(id) ON DELETE CASCADE,
            epoch   INTEGER NOT NULL,
            slot    INTEGER NOT NULL,
            crc32c  INTEGER NOT NULL,
            payload BLOB    NOT NULL,
            PRIMARY KEY (series, epoch, slot)
        ) WITHOUT ROWID;
        INSERT INTO checkpoint_by_slot (series, epoch, slot, crc32c, payload)
            SELECT place % (1 << 40), epoch, slot, crc32c, payload FROM checkpoint
            WHERE place % (1 << 40) IN (SELECT id FROM series);
        DROP TABLE checkpoint;
        ALTER TABLE checkpoint_by_slot RENAME TO checkpoint;
        """,
        """
        DROP TABLE clock;
        UPDATE series SET crc32c = row_checksum(\(series)) WHERE crc32c IS row_checksum(\(series), heard_at);
        ALTER TABLE series DROP COLUMN heard_at;
        UPDATE epoch SET crc32c = row_checksum(\(epoch))
        WHERE crc32c IS row_checksum(\(epoch), max_gap, time_zone, aggregate);
        ALTER TABLE epoch DROP COLUMN aggregate;
        ALTER TABLE epoch DROP COLUMN time_zone;
        ALTER TABLE epoch DROP COLUMN max_gap;
        UPDATE journal_end SET crc32c = row_checksum(\(journalEnd))
        WHERE crc32c IS row_checksum(\(journalEnd), whole_from);
        ALTER TABLE journal_end DROP COLUMN whole_from;
        """,
        "DROP TABLE model_event",
    ]
}
