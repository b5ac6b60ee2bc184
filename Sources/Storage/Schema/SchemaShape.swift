import GRDB

/// Compares the definition of each of our tables with what the migrations make, column by column.
///
/// A flipped bit in a definition may leave a database that SQLite considers valid: if a key column is no longer a key,
/// lookups find nothing and every row is as good as lost. Columns are compared, not the text, because SQLite rewrites
/// the text when it alters a table, and other SQLite versions may write it differently.
enum SchemaShape {
    /// - Throws: ``StorageError/damagedTable(name:reason:)`` with the first table that differs from what the migrations
    ///   make.
    static func check(_ db: Database) throws {
        let found = try tables(of: db)
        for (name, shape) in try expected.get().sorted(by: { $0.key < $1.key }) where found[name] != shape {
            let difference = shape.first { found[name]?.contains($0) != true } ?? "less than is there"
            throw StorageError.damagedTable(
                name: name, reason: "its definition is not as it was made: \(difference) is expected")
        }
    }

    /// The tables that the migrations make.
    private static let expected = Result {
        var configuration = Configuration()
        configuration.prepareDatabase { $0.add(function: CheckedTable.function) }
        return try DatabaseQueue(configuration: configuration).write { db in
            try Migrations.define(db)
            return try tables(of: db)
        }
    }

    /// By table: its columns, type, indexes and foreign keys, one line each.
    private static func tables(of db: Database) throws -> [String: [String]] {
        let names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        var shapes: [String: [String]] = [:]
        for sql in [
            """
            SELECT t.name AS \"table\", x.name, x.type, x.\"notnull\", x.dflt_value, x.pk, x.hidden
            FROM (\(names)) AS t, pragma_table_xinfo(t.name) AS x
            """,
            "SELECT name AS \"table\", type, wr, strict FROM pragma_table_list WHERE name IN (\(names))",
            """
            SELECT t.name AS \"table\", i.name, i.\"unique\", i.partial, x.name, x.\"desc\", x.coll
            FROM (\(names)) AS t, pragma_index_list(t.name) AS i, pragma_index_xinfo(i.name) AS x
            ORDER BY i.name, x.seqno
            """,
            """
            SELECT t.name AS \"table\", k.\"table\", k.\"from\", k.\"to\", k.on_update, k.on_delete
            FROM (\(names)) AS t, pragma_foreign_key_list(t.name) AS k ORDER BY k.\"from\", k.\"table\"
            """,
        ] {
            for row in try Row.fetchAll(db, sql: sql) { shapes[row["table"], default: []].append("\(row)") }
        }
        return shapes
    }
}
