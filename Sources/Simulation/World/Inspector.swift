import CSimulatedDisk
import GRDB
import TimeSeries

/// Reads the database beside the daemon, in SQL of its own: what a replay is given, and what the journal holds.
struct Inspector {
    private let queue: DatabaseQueue
    private let disk: MemoryDisk?

    /// - Parameter disk: the simulated disk, whose faults do not hit the inspector; nil: a real one.
    init(path: String, on disk: MemoryDisk? = nil) throws {
        var configuration = Configuration()
        configuration.readonly = true
        self.disk = disk
        queue = try Self.spared(disk) { try DatabaseQueue(path: path, configuration: configuration) }
    }

    private func read<T>(_ body: (Database) throws -> T) throws -> T { try Self.spared(disk) { try queue.read(body) } }

    private static func spared<T>(_ disk: MemoryDisk?, _ body: () throws -> T) rethrows -> T {
        guard let disk else { return try body() }
        simulated_disk_suspend_faults(disk.disk, 1)
        defer { simulated_disk_suspend_faults(disk.disk, 0) }
        return try body()
    }

    /// The numbers of the series, by name.
    func series() throws -> [String: Int64] {
        try read { db in
            var numbers: [String: Int64] = [:]
            for row in try Row.fetchAll(db, sql: "SELECT key, id FROM series") { numbers[row["key"]] = row["id"] }
            return numbers
        }
    }

    /// The stored outages, by epoch.
    func outages() throws -> [Int64: [ClosedRange<Slot>]] {
        try read { db in
            var outages: [Int64: [ClosedRange<Slot>]] = [:]
            let statement = try db.cachedStatement(sql: "SELECT epoch, from_slot, to_slot FROM outage")
            for row in try Row.fetchAll(statement) {
                let (from, to): (Slot, Slot) = (row["from_slot"], row["to_slot"])
                outages[row["epoch"], default: []].append(from...max(from, to))
            }
            return outages
        }
    }

    /// The newest epoch of every series.
    ///
    /// - Parameter outages: all outages, by epoch.
    func epochs(outages: [Int64: Set<ClosedRange<Slot>>]) throws -> [Int64: Replay.Epoch] {
        try read { db in
            let sql = """
                SELECT epoch.*, own.number FROM epoch
                JOIN (SELECT MAX(id) AS id, COUNT(*) AS number FROM epoch GROUP BY series) AS own ON own.id = epoch.id
                """
            var epochs: [Int64: Replay.Epoch] = [:]
            for row in try Row.fetchAll(db, sql: sql) {
                let id: Int64 = row["id"]
                epochs[row["series"]] = Replay.Epoch(
                    id: id, version: row["version"], fromSlot: row["from_slot"], warmUp: row["warm_up"],
                    position: row["position"], maxGap: row["max_gap"] ?? 0,
                    aggregate: Aggregate(rawValue: row["aggregate"] ?? "") ?? .mean, timeZone: row["time_zone"] ?? "",
                    outages: outages[id] ?? [], count: row["number"])
            }
            return epochs
        }
    }

    struct Version {
        var forecaster: String
        var number: Int
        var method: String
        /// JSON.
        var parameters: String
        var weights: [UInt8]
    }

    func version(_ id: Int64) throws -> Version? {
        try read { db in
            guard let row = try Row.fetchOne(db, sql: "SELECT * FROM model_version WHERE id = ?", arguments: [id])
            else {
                return nil
            }
            let weights = row["weights"] as DatabaseValue
            var bytes: [UInt8] = []
            if case .blob(let data) = weights.storage { bytes = [UInt8](data) }
            return Version(
                forecaster: row["forecaster"], number: row["number"], method: row["method"],
                parameters: row["parameters"], weights: bytes)
        }
    }

    /// The sizes of the weights of all versions, in bytes.
    func weightSizes() throws -> [Int64: Int] {
        try read { db in
            var sizes: [Int64: Int] = [:]
            for row in try Row.fetchAll(db, sql: "SELECT id, LENGTH(weights) AS size FROM model_version") {
                sizes[row["id"]] = row["size"]
            }
            return sizes
        }
    }

    /// The newest journal position.
    func lastPosition() throws -> Int64 {
        try read { db in
            let dropped = try Int64.fetchOne(db, sql: "SELECT position FROM journal_end") ?? 0
            return max(dropped, try Int64.fetchOne(db, sql: "SELECT MAX(seq + n - 1) FROM journal") ?? 0)
        }
    }

    /// Overwrites a byte in the newest checkpoint of every third series that has two of one epoch.
    static func damageNewestCheckpoints(path: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { db in
            let offset: Int64 = 1 << 40
            let rows = try Row.fetchAll(db, sql: "SELECT place, epoch, slot FROM checkpoint")
            for (series, pair) in Dictionary(grouping: rows, by: { ($0["place"] as Int64) % offset }).sorted(by: {
                $0.key < $1.key
            })
            where pair.count == 2 && series % 3 == 0 && (pair[0]["epoch"] as Int64) == pair[1]["epoch"] {
                let newest = pair.max { ($0["slot"] as Int64) < $1["slot"] }
                let place: Int64 = newest?["place"] ?? 0
                try db.execute(
                    sql:
                        "UPDATE checkpoint SET payload = CAST(substr(payload, 1, length(payload) - 1) || x'A5' AS BLOB), "
                        + "crc32c = crc32c + 1 WHERE place = ?", arguments: [place])
            }
        }
        try queue.close()
    }
}
