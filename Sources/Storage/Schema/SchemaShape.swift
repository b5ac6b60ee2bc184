import GRDB

/// What the schema says of every table of ours, column by column, to be held against what it should say.
///
/// A bit turned in a definition may leave a database that SQLite finds in order: a key that is no key any more reads as
/// nothing, and every row under it is as good as gone. Columns and not the text are compared, because SQLite writes that
/// anew when it alters a table, and another version may write it otherwise.
enum SchemaShape {
    /// - Throws: ``StorageError/damagedTable(name:reason:)`` with the first table that is not as the migrations make it.
    static func check(_ db: Database) throws {
        var configuration = Configuration()
        configuration.prepareDatabase { $0.add(function: CheckedTable.function) }
        let expected = try DatabaseQueue(configuration: configuration)
        let wanted = try expected.write { db in
            try Migrations.define(db)
            return try tables(of: db)
        }
        let found = try tables(of: db)
        for (name, shape) in wanted.sorted(by: { $0.key < $1.key }) where found[name] != shape {
            let difference = shape.first { found[name]?.contains($0) != true } ?? "less than is there"
            throw StorageError.damagedTable(
                name: name, reason: "its definition is not as it was made: \(difference) is expected")
        }
    }

    /// By table: its columns, its kind, its indexes and its foreign keys, one line each.
    private static func tables(of db: Database) throws -> [String: [String]] {
        let names = try String.fetchAll(
            db, sql: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        var shapes: [String: [String]] = [:]
        for name in names {
            shapes[name] = try [
                "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?)",
                "SELECT type, wr, strict FROM pragma_table_list WHERE name = ?",
                """
                SELECT i.name, i.\"unique\", i.partial, x.name, x.\"desc\", x.coll
                FROM pragma_index_list(?) AS i, pragma_index_xinfo(i.name) AS x
                ORDER BY i.name, x.seqno
                """,
                """
                SELECT \"table\", \"from\", \"to\", on_update, on_delete FROM pragma_foreign_key_list(?)
                ORDER BY \"from\", \"table\"
                """,
            ].flatMap { sql in try Row.fetchAll(db, sql: sql, arguments: [name]).map { "\($0)" } }
        }
        return shapes
    }
}
