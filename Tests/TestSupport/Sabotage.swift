import GRDB

/// Changes a database behind its owner's back.
public struct Sabotage {
    private let path: String
    public init(_ path: String) { self.path = path }

    /// Foreign keys are not looked at, as `sqlite3` does not look at them.
    private func open() throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        configuration.busyMode = .timeout(5)
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    public func run(_ sql: String) throws {
        let queue = try open()
        try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        try queue.close()
    }

    /// The one column of what `sql` finds.
    public func numbers(_ sql: String) throws -> [Int] {
        let queue = try open()
        defer { try? queue.close() }
        return try queue.read { try Int.fetchAll($0, sql: sql) }
    }

    /// The columns of every table of ours.
    public func columns() throws -> [(table: String, name: String)] {
        let queue = try open()
        defer { try? queue.close() }
        return try queue.read { db in
            let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            return try String.fetchAll(db, sql: tables).flatMap { table in
                try Row.fetchAll(db, sql: "SELECT name FROM pragma_table_info(?)", arguments: [table]).map {
                    (table: table, name: $0["name"] as String)
                }
            }
        }
    }

    /// Takes every NOT NULL out of the schema, so that a column may say nothing.
    public func allowNulls() throws {
        try run(
            """
            PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET sql = REPLACE(sql, 'NOT NULL', '') WHERE type = 'table';
            PRAGMA writable_schema = RESET;
            """)
    }

    /// Takes the schema back to what it was before rows had checksums and checkpoints took turns.
    public func goBackToSchema5() throws {
        let tables = ["series", "epoch", "champion", "outage", "schedule", "journal_end"]
        let newer = [
            ("journal_end", "whole_from"), ("epoch", "max_gap"), ("epoch", "time_zone"), ("epoch", "aggregate"),
            ("series", "heard_at"),
        ]
        let drops = (tables.map { ($0, "crc32c") } + newer).map { "ALTER TABLE \($0.0) DROP COLUMN \($0.1);" }.joined()
        try run(
            """
            BEGIN; \(drops)
            DROP TABLE clock; DROP TABLE model_event;
            CREATE TABLE side_by_side (
                series INTEGER NOT NULL REFERENCES series(id) ON DELETE CASCADE, epoch INTEGER NOT NULL,
                slot INTEGER NOT NULL, crc32c INTEGER NOT NULL, payload BLOB NOT NULL,
                PRIMARY KEY (series, epoch, slot)) WITHOUT ROWID;
            INSERT INTO side_by_side SELECT place % (1 << 40), epoch, slot, crc32c, payload FROM checkpoint;
            DROP TABLE checkpoint;
            ALTER TABLE side_by_side RENAME TO checkpoint;
            PRAGMA user_version = 5; COMMIT
            """)
    }

    /// The numbers of the pages of every table and index, from 1, and the size of a page.
    public func pages() throws -> (pages: [(table: String, number: Int)], size: Int) {
        let queue = try open()
        defer { try? queue.close() }
        return try queue.read { db in
            let rows = try Row.fetchAll(db, sql: "SELECT name, pageno FROM dbstat ORDER BY pageno")
            let found = rows.map { (table: $0["name"] as String, number: $0["pageno"] as Int) }
            return (found, try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 4_096)
        }
    }
}
