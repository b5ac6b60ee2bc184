import GRDB

/// Changes a database behind its owner's back.
public struct Sabotage {
    private let path: String
    public init(_ path: String) { self.path = path }

    public func run(_ sql: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: sql) }
        try queue.close()
    }

    /// The one column of what `sql` finds.
    public func numbers(_ sql: String) throws -> [Int] {
        let queue = try DatabaseQueue(path: path)
        defer { try? queue.close() }
        return try queue.read { try Int.fetchAll($0, sql: sql) }
    }

    /// The numbers of the pages of some tables, from 1, and the size of a page.
    public func pages(of tables: [String]) throws -> (pages: [(table: String, number: Int)], size: Int) {
        let queue = try DatabaseQueue(path: path)
        defer { try? queue.close() }
        return try queue.read { db in
            let rows = try Row.fetchAll(db, sql: "SELECT name, pageno FROM dbstat ORDER BY pageno")
            let found = rows.map { (table: $0["name"] as String, number: $0["pageno"] as Int) }
            return (
                found.filter { tables.contains($0.table) }, try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 4_096
            )
        }
    }
}
