import Basics
import GRDB
public import TimeSeries

/// The changes that one transaction can make. Valid only inside ``Store/write(_:)``.
public struct WriteTransaction {
    /// What the transaction did, for the failpoints, the commit mark and the count of journal readings.
    final class Notes {
        /// The position of the last reading appended; nil if none was.
        var lastPosition: JournalPosition?
        var promoted = false
        var sealed = false
        /// Readings added to the journal, minus those dropped.
        var journalReadings = 0
    }

    let db: Database
    let notes: Notes

    // MARK: Series

    /// Stores a new series, without a cadence.
    ///
    /// - Returns: its new number.
    public func insertSeries(
        key: SeriesKey, aggregate: Aggregate, forecaster: String?, createdAt: Timestamp
    ) throws -> SeriesID {
        let sql = "INSERT INTO series (key, aggregate, forecaster, created_at) VALUES (?, ?, ?, ?)"
        try run(sql, [key.description, aggregate.rawValue, forecaster, createdAt.nanoseconds])
        let id = SeriesID(db.lastInsertedRowID)
        try updateChecksum(of: id)
        return id
    }

    /// Sets cadence and lateness, which belong together: lateness is counted in slots of the cadence.
    public func setCadence(_ cadence: Cadence, latenessSlots: Int, of series: SeriesID) throws {
        let sql = "UPDATE series SET cadence = ?, lateness = ? WHERE id = ?"
        try run(sql, [cadence.nanoseconds, latenessSlots, series.rawValue])
        try updateChecksum(of: series)
    }

    /// Sets the forecaster of a series; nil for none.
    public func setForecaster(_ name: String?, of series: SeriesID) throws {
        try run("UPDATE series SET forecaster = ? WHERE id = ?", [name, series.rawValue])
        try updateChecksum(of: series)
    }

    /// Sets how the readings of one slot of a series are aggregated.
    public func setAggregate(_ aggregate: Aggregate, of series: SeriesID) throws {
        try run("UPDATE series SET aggregate = ? WHERE id = ?", [aggregate.rawValue, series.rawValue])
        try updateChecksum(of: series)
    }

    /// Stores when readings of some series last arrived.
    public func setLastArrivals(_ times: [(series: SeriesID, at: Timestamp)]) throws {
        for (series, time) in times {
            try run("UPDATE series SET heard_at = ? WHERE id = ?", [time.nanoseconds, series.rawValue])
            try updateChecksum(of: series)
        }
    }

    private func updateChecksum(of series: SeriesID) throws {
        try CheckedTable.series.updateChecksums(db, where: "id = ?", [series.rawValue])
    }

    /// Removes series with their readings, scores, epochs and checkpoints. The positions of all other readings do not
    /// change.
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

    /// Drops rows from the front of the journal that hold nothing at or after `limit` and lie entirely at or before
    /// `end`.
    ///
    /// - Returns: how many readings were dropped.
    @discardableResult
    public func deleteJournal(before limit: Timestamp, through end: JournalPosition) throws -> Int {
        let dropped = try JournalRows(db: db).drop(before: limit, through: end)
        notes.journalReadings -= dropped
        return dropped
    }

    // MARK: Checkpoints

    /// Removes the rows that are damaged: the next checkpoint of their series comes there, and not over the one that is
    /// good.
    public func removeDamaged(_ checkpoints: RecoveredCheckpoints) throws {
        try CheckpointRows(db: db).remove(places: checkpoints.damagedPlaces)
    }

    /// Stores a checkpoint and keeps the previous one.
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
        try CheckedTable.modelVersion.updateChecksums(db, where: "id = ?", [id])
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
            try CheckedTable.modelVersion.updateChecksums(db, where: "id = ?", [id])
        }
    }

    /// Stores an epoch, which becomes the newest of its series.
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
        try CheckedTable.epoch.updateChecksums(db, where: "id = ?", [id])
        return Epoch(
            id: id, series: new.series, version: new.version, fromSlot: new.fromSlot, warmUp: new.warmUp,
            position: new.position, reason: new.reason, fallbackFor: new.fallbackFor, setting: new.setting,
            createdAt: new.createdAt)
    }

    /// Removes the epochs of a series that are no longer needed.
    ///
    /// All but the newest, and the newest of another version, to which the series can be rolled back.
    public func pruneEpochs(of series: SeriesID) throws {
        if PlantedBug.epochsKept.isActive { return }
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

    /// Stores the settings of an epoch that was stored before epochs had settings.
    public func setSetting(_ setting: EpochSetting, ofEpoch id: Int64) throws {
        let sql = "UPDATE epoch SET max_gap = ?, time_zone = ?, aggregate = ? WHERE id = ?"
        try run(sql, [setting.maxGap, setting.timeZone, setting.aggregate.rawValue, id])
        try CheckedTable.epoch.updateChecksums(db, where: "id = ?", [id])
    }

    /// Points `forecaster` at the version that was promoted last.
    public func recordChampion(forecaster: String, version: Int64) throws {
        try run("INSERT OR REPLACE INTO champion (forecaster, version) VALUES (?, ?)", [forecaster, version])
        try CheckedTable.champion.updateChecksums(db, where: "forecaster = ?", [forecaster])
        notes.promoted = true
    }

    // MARK: Clock

    /// Stores a time of day that commits and the monotonic clock agreed on.
    public func setSettledTime(_ time: Timestamp) throws { try setClock("settled", time) }

    /// Stores when a daily share of expired data was removed.
    public func setExpiryTime(_ time: Timestamp) throws { try setClock("expired", time) }

    private func setClock(_ column: String, _ time: Timestamp) throws {
        try run("INSERT OR IGNORE INTO clock (id, crc32c) VALUES (1, 0)", [])
        try run("UPDATE clock SET \(column) = ? WHERE id = 1", [time.nanoseconds])
        try CheckedTable.clock.updateChecksums(db, where: "id = 1", [])
    }

    // MARK: Schedule

    /// Stores the training times of a forecaster; damaged rows are deleted.
    public func setSchedule(_ record: ScheduleRecord) throws {
        try run("DELETE FROM schedule WHERE NOT (\(CheckedTable.schedule.checksumMatches))", [])
        try run(
            """
            INSERT OR REPLACE INTO schedule (forecaster, next_due, last_started, last_finished, last_outcome)
                VALUES (?, ?, ?, ?, ?)
            """,
            [
                record.forecaster, record.nextDue?.nanoseconds, record.lastStarted?.nanoseconds,
                record.lastFinished?.nanoseconds, record.lastOutcome,
            ])
        try CheckedTable.schedule.updateChecksums(db, where: "forecaster = ?", [record.forecaster])
    }

    private func run(_ sql: String, _ arguments: StatementArguments) throws {
        try db.cachedStatement(sql: sql).execute(arguments: arguments)
    }
}
