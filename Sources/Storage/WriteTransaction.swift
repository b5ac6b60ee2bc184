import GRDB
public import TimeSeries

/// The changes that one transaction can make. Valid only inside ``Store/write(_:)``.
public struct WriteTransaction {
    /// What the transaction did, for the failpoints.
    final class Notes {
        /// Of the readings appended; nil: none were.
        var lastPosition: JournalPosition?
        var promoted = false
        var sealed = false
        /// Readings added to the journal, less those dropped.
        var journalReadings = 0
    }

    let db: Database
    let notes: Notes

    // MARK: Series

    public func insertSeries(
        key: SeriesKey, aggregate: Aggregate, forecaster: String?, createdAt: Timestamp
    ) throws -> SeriesID {
        let sql = "INSERT INTO series (key, aggregate, forecaster, created_at) VALUES (?, ?, ?, ?)"
        try run(sql, [key.description, aggregate.rawValue, forecaster, createdAt.nanoseconds])
        let id = SeriesID(db.lastInsertedRowID)
        try sign(id)
        return id
    }

    /// Settles cadence and lateness, which belong together: slots are counted in the cadence.
    public func setCadence(_ cadence: Cadence, latenessSlots: Int, of series: SeriesID) throws {
        let sql = "UPDATE series SET cadence = ?, lateness = ? WHERE id = ?"
        try run(sql, [cadence.nanoseconds, latenessSlots, series.rawValue])
        try sign(series)
    }

    public func setForecaster(_ name: String?, of series: SeriesID) throws {
        try run("UPDATE series SET forecaster = ? WHERE id = ?", [name, series.rawValue])
        try sign(series)
    }

    public func setAggregate(_ aggregate: Aggregate, of series: SeriesID) throws {
        try run("UPDATE series SET aggregate = ? WHERE id = ?", [aggregate.rawValue, series.rawValue])
        try sign(series)
    }

    /// Notes when readings of some series arrived last.
    public func setHeard(_ times: [(series: SeriesID, at: Timestamp)]) throws {
        for (series, time) in times {
            try run("UPDATE series SET heard_at = ? WHERE id = ?", [time.nanoseconds, series.rawValue])
            try sign(series)
        }
    }

    private func sign(_ series: SeriesID) throws {
        try CheckedTable.series.sign(db, where: "id = ?", [series.rawValue])
    }

    /// Removes series with their readings, epochs and checkpoints. The positions of all other readings stay.
    public func deleteSeries(_ series: Set<SeriesID>) throws {
        try JournalRows(db: db).remove(series)
        try deleteScores(of: series)
        for id in series {
            try CheckpointRows(db: db).remove(id)
            try run("DELETE FROM series WHERE id = ?", [id.rawValue])
        }
    }

    // MARK: Journal

    /// Appends one row.
    ///
    /// - Returns: the position of the first reading; the others follow without a gap.
    public func appendJournal(_ readings: [Reading]) throws -> JournalPosition {
        let first = try JournalRows(db: db).end() + 1
        try JournalRows(db: db).insert(readings.map { ($0, false) }, at: first)
        notes.lastPosition = first + JournalPosition(readings.count) - 1
        notes.journalReadings += readings.count
        return first
    }

    /// Drops the first rows, as far as they hold nothing at or after `limit` and lie wholly at or before `end`.
    ///
    /// - Returns: how many readings were dropped.
    @discardableResult
    public func deleteJournal(before limit: Timestamp, through end: JournalPosition) throws -> Int {
        let dropped = try JournalRows(db: db).drop(before: limit, through: end)
        notes.journalReadings -= dropped
        return dropped
    }

    // MARK: Checkpoints

    /// Stores a checkpoint and keeps the one before.
    public func saveCheckpoint(_ checkpoint: Checkpoint) throws { try CheckpointRows(db: db).save(checkpoint) }

    // MARK: Models

    /// Stores a version under the next number of its forecaster.
    public func insertModelVersion(_ new: NewModelVersion) throws -> ModelVersion {
        let sql = "SELECT COALESCE(MAX(number), 0) + 1 FROM model_version WHERE forecaster = ?"
        let number = try Int.fetchOne(db, sql: sql, arguments: [new.forecaster]) ?? 1
        try run(
            """
            INSERT INTO model_version (forecaster, number, method, method_version, parameters, parent, created_at,
                window_start, window_end, metrics, crc32c, weights) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                new.forecaster, number, new.method, new.methodVersion, new.parameters, new.parent,
                new.createdAt.nanoseconds, new.windowStart?.nanoseconds, new.windowEnd?.nanoseconds, new.metrics,
                0, Blob(new.weights),
            ])
        let id = db.lastInsertedRowID
        try CheckedTable.modelVersion.sign(db, where: "id = ?", [id])
        return ModelVersion(
            id: id, forecaster: new.forecaster, number: number, method: new.method,
            methodVersion: new.methodVersion, parameters: new.parameters, parent: new.parent,
            createdAt: new.createdAt, windowStart: new.windowStart, windowEnd: new.windowEnd, metrics: new.metrics,
            weightsSize: new.weights.count, prunedAt: nil)
    }

    /// Removes the weights of versions; their rows and metrics stay.
    public func pruneWeights(of versions: [Int64], at now: Timestamp) throws {
        for id in versions {
            try run("UPDATE model_version SET weights = ? WHERE id = ?", [Blob(PrunedWeights.bytes(at: now)), id])
            try CheckedTable.modelVersion.sign(db, where: "id = ?", [id])
        }
    }

    public func insertEpoch(_ new: NewEpoch) throws -> Epoch {
        let (method, version): (String?, Int64?) =
            switch new.fallbackFor {
            case nil: (nil, nil)
            case .method(let name): (name, nil)
            case .version(let id): (nil, id)
            }
        try run(
            """
            INSERT INTO epoch (series, version, from_slot, warm_up, position, reason, stands_for_method,
                stands_for_version, created_at, max_gap, time_zone, aggregate)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                new.series.rawValue, new.version, new.fromSlot, new.warmUp, new.position, new.reason, method, version,
                new.createdAt.nanoseconds, new.setting?.maxGap, new.setting?.timeZone,
                new.setting?.aggregate.rawValue,
            ])
        let id = db.lastInsertedRowID
        try CheckedTable.epoch.sign(db, where: "id = ?", [id])
        return Epoch(
            id: id, series: new.series, version: new.version, fromSlot: new.fromSlot, warmUp: new.warmUp,
            position: new.position, reason: new.reason, fallbackFor: new.fallbackFor, setting: new.setting,
            createdAt: new.createdAt)
    }

    /// Removes the epochs of a series that nothing looks at any more: all but the newest and the newest of another version,
    /// to which the series can be rolled back.
    public func pruneEpochs(of series: SeriesID) throws {
        try run(
            """
            WITH own AS (SELECT id, version FROM epoch WHERE series = ?1),
                newest AS (SELECT MAX(id) AS id, version FROM own)
            DELETE FROM epoch WHERE series = ?1 AND id < (SELECT id FROM newest)
                AND id IS NOT (SELECT MAX(id) FROM own WHERE version <> (SELECT version FROM newest))
            """, [series.rawValue])
        try run(
            "DELETE FROM outage WHERE series = ?1 AND epoch < (SELECT MAX(id) FROM epoch WHERE series = ?1)",
            [series.rawValue])
    }

    /// Says what an epoch from before there were settings depends on.
    public func setSetting(_ setting: EpochSetting, ofEpoch id: Int64) throws {
        let sql = "UPDATE epoch SET max_gap = ?, time_zone = ?, aggregate = ? WHERE id = ?"
        try run(sql, [setting.maxGap, setting.timeZone, setting.aggregate.rawValue, id])
        try CheckedTable.epoch.sign(db, where: "id = ?", [id])
    }

    /// Points `forecaster` at the version that was promoted last.
    public func recordChampion(forecaster: String, version: Int64) throws {
        try run("INSERT OR REPLACE INTO champion (forecaster, version) VALUES (?, ?)", [forecaster, version])
        try CheckedTable.champion.sign(db, where: "forecaster = ?", [forecaster])
        notes.promoted = true
    }

    // MARK: Clock

    /// Notes a time that commits and the monotonic clock agreed on.
    public func setSettledTime(_ time: Timestamp) throws { try setClock("settled", time) }

    /// Notes when a day's share of what has expired was removed.
    public func setExpiryTime(_ time: Timestamp) throws { try setClock("expired", time) }

    private func setClock(_ column: String, _ time: Timestamp) throws {
        try run("INSERT OR IGNORE INTO clock (id, crc32c) VALUES (1, 0)", [])
        try run("UPDATE clock SET \(column) = ? WHERE id = 1", [time.nanoseconds])
        try CheckedTable.clock.sign(db, where: "id = 1", [])
    }

    // MARK: Schedule

    /// Stores the training times of a forecaster; damaged rows make room.
    public func setSchedule(_ record: ScheduleRecord) throws {
        try run("DELETE FROM schedule WHERE NOT (\(CheckedTable.schedule.isWhole))", [])
        try run(
            """
            INSERT OR REPLACE INTO schedule (forecaster, next_due, last_started, last_finished, last_outcome)
                VALUES (?, ?, ?, ?, ?)
            """,
            [
                record.forecaster, record.nextDue?.nanoseconds, record.lastStarted?.nanoseconds,
                record.lastFinished?.nanoseconds, record.lastOutcome,
            ])
        try CheckedTable.schedule.sign(db, where: "forecaster = ?", [record.forecaster])
    }

    private func run(_ sql: String, _ arguments: StatementArguments) throws {
        try db.cachedStatement(sql: sql).execute(arguments: arguments)
    }
}
