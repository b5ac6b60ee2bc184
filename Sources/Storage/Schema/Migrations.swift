import Basics
import GRDB

/// The numbered files of `migrations/`, embedded at build time, and the schema version in `PRAGMA user_version`.
enum Migrations {
    /// "Nilo": identifies the database as ours, to us and to file(1).
    static let applicationID: Int32 = 0x4E69_6C6F

    /// In order; the index in the list plus one is the schema version.
    private static let scripts: [[UInt8]] = [
        PackageResources._001_initial_sql, PackageResources._002_chunks_sql, PackageResources._003_scores_sql,
        PackageResources._004_outages_sql, PackageResources._005_stand_ins_sql, PackageResources._006_checksums_sql,
        PackageResources._007_checkpoint_turns_sql, PackageResources._008_evidence_sql,
        PackageResources._009_model_events_sql,
    ]

    static var newest: Int { scripts.count }

    /// Creates the whole schema in an empty database.
    static func define(_ db: Database) throws {
        for script in scripts { try db.execute(sql: String(decoding: script, as: UTF8.self)) }
    }

    /// Brings the schema up to date, each step in a transaction of its own.
    static func run(_ pool: DatabasePool, path: String) throws {
        let found = try pool.read { try Int.fetchOne($0, sql: "PRAGMA user_version") ?? 0 }
        let owner = try pool.read { try Int32.fetchOne($0, sql: "PRAGMA application_id") ?? 0 }
        guard found <= newest else { throw StorageError.newerSchema(path: path, found: found, known: newest) }
        let isEmpty = try pool.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM sqlite_master") ?? 0 } == 0
        guard owner == applicationID || isEmpty else { throw StorageError.notOurs(path: path) }
        for version in found..<newest {
            try pool.writeWithoutTransaction { db in
                if PlantedBug.migrationInParts.isActive {
                    let script = String(decoding: scripts[version], as: UTF8.self)
                    return try db.execute(
                        sql: "PRAGMA application_id = \(applicationID);" + script
                            + "PRAGMA user_version = \(version + 1)")
                }
                try db.inTransaction(.immediate) {
                    try db.execute(sql: String(decoding: scripts[version], as: UTF8.self))
                    try db.execute(sql: "PRAGMA application_id = \(applicationID)")
                    try db.execute(sql: "PRAGMA user_version = \(version + 1)")
                    Failpoint.migration.hit()
                    return .commit
                }
            }
        }
    }
}
