import Basics
import GRDB
public import TimeSeries

extension Store {
    /// All series, in the order they were created.
    public func series() throws -> [SeriesRecord] {
        try read { try $0.rows("SELECT * FROM series ORDER BY id", [], Self.series) }
    }

    private static func series(_ row: Row) throws -> SeriesRecord {
        let table = "series"
        let aggregate: String = try row.value("aggregate", in: table)
        guard let aggregate = Aggregate(rawValue: aggregate) else {
            throw StorageError.damagedTable(name: table, reason: "there is no aggregate \"\(aggregate)\"")
        }
        return SeriesRecord(
            id: SeriesID(try row.value("id", in: table)),
            key: SeriesKey(canonical: try row.value("key", in: table)),
            forecaster: try row.optional("forecaster", in: table), aggregate: aggregate,
            cadence: try row.optional("cadence", in: table).flatMap { Cadence(nanoseconds: $0) },
            latenessSlots: try row.optional("lateness", in: table),
            createdAt: Timestamp(nanoseconds: try row.value("created_at", in: table)),
            lastArrival: try row.optional("heard_at", in: table).map { Timestamp(nanoseconds: $0) })
    }

    /// The position of the newest reading ever; 0 before the first.
    public func lastPosition() throws -> JournalPosition { try read { try JournalRows(db: $0).end() } }

    /// The newest timestamp ever committed.
    public func newestTimestamp() throws -> Timestamp {
        try read { db in
            let sql = "SELECT newest, (SELECT MAX(newest) FROM journal) AS kept FROM journal_end"
            guard let row = try Row.fetchOne(db, sql: sql) else { throw JournalRows.endIsMissing }
            let dropped: Int64 = try row.value("newest", in: "journal_end")
            return Timestamp(nanoseconds: max(dropped, try row.optional("kept", in: "journal") ?? .min))
        }
    }

    /// The newest settled time, and when a daily share of expired data was last removed.
    public func clock() throws -> (settled: Timestamp?, expired: Timestamp?) {
        try read { db in
            guard let row = try Row.fetchOne(db, sql: "SELECT settled, expired FROM clock") else { return (nil, nil) }
            return (
                try row.optional("settled", in: "clock").map { Timestamp(nanoseconds: $0) },
                try row.optional("expired", in: "clock").map { Timestamp(nanoseconds: $0) }
            )
        }
    }

    /// Calls `body` with the journal, entry by entry in the order of the positions, until it returns false.
    ///
    /// Reads in slices, each in a transaction of its own, because an open reader keeps the write-ahead log from
    /// shrinking.
    ///
    /// - Parameter oldest: entries that hold nothing at least as new are skipped.
    /// - Throws: ``StorageError/damagedJournal(position:reason:)``; `CancellationError` if the task was cancelled.
    public func scanJournal(
        from position: JournalPosition = 1, notOlderThan oldest: Timestamp = .distantPast,
        _ body: (JournalEntry) throws -> Bool
    ) throws {
        var next = position
        while true {
            try Task.checkCancellation()
            let entries = try read { try JournalRows(db: $0).fetch(from: next, notOlderThan: oldest) }
            for entry in entries { guard try Self.deliver(entry, from: position, to: body) else { return } }
            guard let last = entries.last else { return }
            next = last.next
        }
    }

    /// Calls `body` with the runs of readings between tombstones, so that positions are consecutive within an entry.
    private static func deliver(
        _ entry: JournalRows.Entry, from position: JournalPosition, to body: (JournalEntry) throws -> Bool
    ) throws -> Bool {
        if entry.first >= position, !entry.items.contains(where: \.isRemoved) {
            return try body(JournalEntry(firstPosition: entry.first, readings: entry.items.map(\.reading)))
        }
        var run = JournalEntry(firstPosition: entry.first, readings: [])
        for (offset, item) in entry.items.enumerated() {
            let current = entry.first + JournalPosition(offset)
            if !item.isRemoved, current >= position {
                if run.readings.isEmpty { run.firstPosition = current }
                run.readings.append(item.reading)
            } else if !run.readings.isEmpty {
                guard try body(run) else { return false }
                run.readings = []
            }
        }
        return run.readings.isEmpty ? true : try body(run)
    }

    /// The checkpoints of every series, good and damaged.
    public func checkpoints() throws -> RecoveredCheckpoints { try read { try CheckpointRows(db: $0).fetchAll() } }

    /// The newest epoch of every series.
    public func currentEpochs() throws -> [SeriesID: Epoch] {
        let sql = "SELECT * FROM epoch WHERE id IN (SELECT MAX(id) FROM epoch GROUP BY series)"
        let epochs = try read { try $0.rows(sql, [], Self.epoch) }
        return Dictionary(keepingFirst: epochs.map { ($0.series, $0) })
    }

    /// The epochs of one series, newest first.
    public func epochs(of series: SeriesID) throws -> [Epoch] {
        let sql = "SELECT * FROM epoch WHERE series = ? ORDER BY id DESC"
        return try read { try $0.rows(sql, [series.rawValue], Self.epoch) }
    }

    /// The newest epoch of a series, and the slot of the older of its checkpoints in that epoch; nil without an epoch.
    public func replayStart(of series: SeriesID) throws -> (epoch: Epoch, checkpoint: Slot?)? {
        let newest = "SELECT * FROM epoch WHERE series = ? ORDER BY id DESC LIMIT 1"
        let oldest = "SELECT MIN(slot) FROM checkpoint WHERE \(CheckpointRows.isOfSeries) AND epoch = ?2"
        return try read { db in
            guard let epoch = try db.rows(newest, [series.rawValue], Self.epoch).first else { return nil }
            let slot = try Slot.fetchOne(db.cachedStatement(sql: oldest), arguments: [series.rawValue, epoch.id])
            return (epoch, slot)
        }
    }

    private static func epoch(_ row: Row) throws -> Epoch {
        let table = "epoch"
        return Epoch(
            id: try row.value("id", in: table), series: SeriesID(try row.value("series", in: table)),
            version: try row.value("version", in: table), fromSlot: try row.optional("from_slot", in: table),
            warmUp: try row.value("warm_up", in: table), position: try row.value("position", in: table),
            reason: try row.value("reason", in: table), fallbackFor: try missingModel(row), setting: try setting(row),
            createdAt: Timestamp(nanoseconds: try row.value("created_at", in: table)))
    }

    private static func setting(_ row: Row) throws(StorageError) -> EpochSetting? {
        guard let maxGap: Int = try row.optional("max_gap", in: "epoch"),
            let timeZone: String = try row.optional("time_zone", in: "epoch"),
            let name: String = try row.optional("aggregate", in: "epoch")
        else { return nil }
        guard let aggregate = Aggregate(rawValue: name) else {
            throw StorageError.damagedTable(name: "epoch", reason: "there is no aggregate \"\(name)\"")
        }
        return EpochSetting(maxGap: maxGap, timeZone: timeZone, aggregate: aggregate)
    }

    private static func missingModel(_ row: Row) throws(StorageError) -> MissingModel? {
        if let method: String = try row.optional("stands_for_method", in: "epoch") { return .method(method) }
        return try row.optional("stands_for_version", in: "epoch").map { .version($0) }
    }

    /// The versions of `forecaster`, or of all forecasters if nil, in the order they were stored.
    public func modelVersions(of forecaster: String?) throws -> [ModelVersion] {
        let sql = """
            SELECT id, forecaster, number, method, method_version, parameters, parent, created_at, window_start,
                window_end, metrics, LENGTH(weights) AS size, SUBSTR(weights, 1, \(PrunedWeights.size)) AS head
            FROM model_version WHERE ?1 IS NULL OR forecaster = ?1 ORDER BY id
            """
        return try read { try $0.rows(sql, [forecaster], Self.modelVersion) }
    }

    private static func modelVersion(_ row: Row) throws -> ModelVersion {
        let table = "model_version"
        let head: Blob? = row.value("head")
        let prunedAt = head.flatMap { PrunedWeights.time(in: $0.bytes) }
        return ModelVersion(
            id: try row.value("id", in: table), forecaster: try row.value("forecaster", in: table),
            number: try row.value("number", in: table), method: try row.value("method", in: table),
            methodVersion: try row.value("method_version", in: table),
            parameters: try row.value("parameters", in: table), parent: try row.optional("parent", in: table),
            createdAt: Timestamp(nanoseconds: try row.value("created_at", in: table)),
            windowStart: try row.optional("window_start", in: table).map { Timestamp(nanoseconds: $0) },
            windowEnd: try row.optional("window_end", in: table).map { Timestamp(nanoseconds: $0) },
            metrics: try row.value("metrics", in: table),
            weightsSize: prunedAt == nil ? try row.value("size", in: table) : 0, prunedAt: prunedAt)
    }

    /// The weights of a version, with their checksum verified.
    ///
    /// - Throws: ``StorageError/damagedWeights(version:)``, ``StorageError/prunedWeights(version:)``.
    public func weights(of version: Int64) throws -> [UInt8] {
        // Rows of earlier versions have the checksum of the weights alone.
        let checksumMatches = "\(CheckedTable.modelVersion.checksumMatches) OR crc32c IS row_checksum(weights)"
        let sql = "SELECT weights FROM model_version WHERE id = ? AND (\(checksumMatches))"
        guard let row = try read({ try Row.fetchOne($0, sql: sql, arguments: [version]) }),
            let weights: Blob = row.value("weights")
        else { throw StorageError.damagedWeights(version: version) }
        guard PrunedWeights.time(in: weights.bytes) == nil else { throw StorageError.prunedWeights(version: version) }
        return weights.bytes
    }

    /// The version that each forecaster promoted last.
    public func champions() throws -> [String: Int64] {
        let pairs: [(String, Int64)] = try read { db in
            try db.rows("SELECT forecaster, version FROM champion") { row in
                (try row.value("forecaster", in: "champion"), try row.value("version", in: "champion"))
            }
        }
        return Dictionary(keepingFirst: pairs)
    }

    /// The training times of every forecaster that has any; damaged rows are left out, and their forecasters become due
    /// again.
    public func schedule() throws -> [String: ScheduleRecord] {
        let sql = "SELECT * FROM schedule WHERE \(CheckedTable.schedule.checksumMatches)"
        let records = try read { try $0.rows(sql, [], Self.scheduleRecord) }
        return Dictionary(keepingFirst: records.map { ($0.forecaster, $0) })
    }

    private static func scheduleRecord(_ row: Row) throws -> ScheduleRecord {
        let table = "schedule"
        func time(_ column: String) throws -> Timestamp? {
            try row.optional(column, in: table).map { Timestamp(nanoseconds: $0) }
        }
        return ScheduleRecord(
            forecaster: try row.value("forecaster", in: table), nextDue: try time("next_due"),
            lastStarted: try time("last_started"), lastFinished: try time("last_finished"),
            lastOutcome: try row.optional("last_outcome", in: table))
    }
}
