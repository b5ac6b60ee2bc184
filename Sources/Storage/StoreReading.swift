import GRDB
public import TimeSeries

extension Store {
    /// All series, in the order of their birth.
    public func series() throws -> [SeriesRecord] {
        try read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM series ORDER BY id").map { row in
                SeriesRecord(
                    id: SeriesID(row["id"]), key: SeriesKey(canonical: row["key"]), forecaster: row["forecaster"],
                    aggregate: Aggregate(rawValue: row["aggregate"]) ?? .mean,
                    cadence: (row["cadence"] as Int64?).flatMap { Cadence(nanoseconds: $0) },
                    latenessSlots: row["lateness"], createdAt: Timestamp(nanoseconds: row["created_at"]))
            }
        }
    }

    /// The position of the newest reading ever; 0 before the first.
    public func lastPosition() throws -> JournalPosition { try read { try JournalRows(db: $0).end() } }

    /// The newest timestamp ever committed.
    public func newestTimestamp() throws -> Timestamp {
        let sql = "SELECT MAX((SELECT newest FROM journal_end), COALESCE((SELECT MAX(newest) FROM journal), ?))"
        return Timestamp(nanoseconds: try read { try Int64.fetchOne($0, sql: sql, arguments: [Int64.min]) } ?? .min)
    }

    /// Hands the journal to `body`, entry by entry in the order of the positions, until it returns false.
    ///
    /// Read in slices, each a transaction of its own, because an open reader keeps the log from shrinking.
    ///
    /// - Parameter oldest: entries that hold nothing at least as new are passed over.
    /// - Throws: ``StorageError/damagedJournal(position:reason:)``.
    public func scanJournal(
        from position: JournalPosition = 1, notOlderThan oldest: Timestamp = .distantPast,
        _ body: (JournalEntry) throws -> Bool
    ) throws {
        var next = position
        while true {
            let entries = try read {
                try JournalRows(db: $0).fetch(from: next, notOlderThan: oldest, limit: 512)
            }
            for entry in entries { guard try Self.hand(entry, from: position, to: body) else { return } }
            guard let last = entries.last else { return }
            next = last.next
        }
    }

    /// Hands over runs of readings without the removed ones, so that positions still count up inside an entry.
    private static func hand(
        _ entry: JournalRows.Entry, from position: JournalPosition, to body: (JournalEntry) throws -> Bool
    ) throws -> Bool {
        var run = JournalEntry(firstPosition: entry.first, readings: [])
        for (offset, place) in entry.places.enumerated() {
            let here = entry.first + JournalPosition(offset)
            if !place.isRemoved, here >= position {
                if run.readings.isEmpty { run.firstPosition = here }
                run.readings.append(place.reading)
            } else if !run.readings.isEmpty {
                guard try body(run) else { return false }
                run.readings = []
            }
        }
        return run.readings.isEmpty ? true : try body(run)
    }

    /// The checkpoints of every series, good and damaged.
    public func checkpoints() throws -> RecoveredCheckpoints {
        try read { db in
            var found = RecoveredCheckpoints()
            let rows = try Row.fetchCursor(
                db, sql: "SELECT * FROM checkpoint ORDER BY series, epoch DESC, slot DESC")
            while let row = try rows.next() {
                let series = SeriesID(row.value("series") ?? 0)
                let slot: Slot = row.value("slot") ?? 0
                if let checkpoint = Self.checkpoint(row, series, slot) {
                    found.good[series, default: []].append(checkpoint)
                } else {
                    found.damaged.append((series, slot))
                }
            }
            return found
        }
    }

    private static func checkpoint(_ row: Row, _ series: SeriesID, _ slot: Slot) -> Checkpoint? {
        guard let bytes = row.value("payload", as: Blob.self)?.bytes, let epoch = row.value("epoch", as: Int64.self),
            Int64(CRC32C.checksum(of: [series.rawValue, epoch, slot], bytes)) == row.value("crc32c", as: Int64.self)
        else { return nil }
        return try? CheckpointCodec.decode(bytes, series: series, epoch: epoch, slot: slot)
    }

    /// The newest epoch of every series.
    public func currentEpochs() throws -> [SeriesID: Epoch] {
        let sql = "SELECT * FROM epoch WHERE id IN (SELECT MAX(id) FROM epoch GROUP BY series)"
        let epochs = try read { try Row.fetchAll($0, sql: sql).map(Self.epoch) }
        return Dictionary(epochs.map { ($0.series, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The epochs of one series, newest first.
    public func epochs(of series: SeriesID) throws -> [Epoch] {
        let sql = "SELECT * FROM epoch WHERE series = ? ORDER BY id DESC"
        return try read { try Row.fetchAll($0, sql: sql, arguments: [series.rawValue]).map(Self.epoch) }
    }

    private static func epoch(_ row: Row) -> Epoch {
        Epoch(
            id: row["id"], series: SeriesID(row["series"]), version: row["version"], fromSlot: row["from_slot"],
            warmUp: row["warm_up"], position: row["position"], reason: row["reason"],
            standsFor: absentee(row), createdAt: Timestamp(nanoseconds: row["created_at"]))
    }

    private static func absentee(_ row: Row) -> Absentee? {
        if let method: String = row.value("stands_for_method") { return .method(method) }
        return row.value("stands_for_version").map { .version($0) }
    }

    /// The versions of `forecaster`, or of all, in the order they were made.
    public func modelVersions(of forecaster: String?) throws -> [ModelVersion] {
        let sql = """
            SELECT id, forecaster, number, method, method_version, parameters, parent, created_at, window_start,
                window_end, metrics, LENGTH(weights) AS size
            FROM model_version WHERE ?1 IS NULL OR forecaster = ?1 ORDER BY id
            """
        return try read { db in
            try Row.fetchAll(db, sql: sql, arguments: [forecaster]).map(Self.modelVersion)
        }
    }

    private static func modelVersion(_ row: Row) throws -> ModelVersion {
        guard let id: Int64 = row.value("id"), let forecaster: String = row.value("forecaster"),
            let number: Int = row.value("number"), let method: String = row.value("method"),
            let methodVersion: String = row.value("method_version"), let parameters: String = row.value("parameters"),
            let created: Int64 = row.value("created_at"), let metrics: String = row.value("metrics"),
            let size: Int = row.value("size")
        else { throw StorageError.damagedTable(name: "model_version", reason: "a row is not as it was written") }
        return ModelVersion(
            id: id, forecaster: forecaster, number: number, method: method, methodVersion: methodVersion,
            parameters: parameters, parent: row.value("parent"), createdAt: Timestamp(nanoseconds: created),
            windowStart: row.value("window_start").map { Timestamp(nanoseconds: $0) },
            windowEnd: row.value("window_end").map { Timestamp(nanoseconds: $0) }, metrics: metrics,
            weightsSize: size)
    }

    /// The weights of a version, checked.
    ///
    /// - Throws: ``StorageError/damagedWeights(version:)``.
    public func weights(of version: Int64) throws -> [UInt8] {
        let sql = "SELECT * FROM model_version WHERE id = ?"
        guard let row = try read({ try Row.fetchOne($0, sql: sql, arguments: [version]) }),
            let checksum: Int64 = row.value("crc32c")
        else { throw StorageError.damagedWeights(version: version) }
        let bytes = row.value("weights", as: Blob.self)?.bytes ?? []
        // Rows of earlier versions have the checksum of the weights alone.
        guard checksum == Int64(ModelChecksum.of(row, bytes)) || checksum == Int64(CRC32C.checksum(bytes)) else {
            throw StorageError.damagedWeights(version: version)
        }
        return bytes
    }

    /// The version that each forecaster promoted last.
    public func champions() throws -> [String: Int64] {
        let rows = try read { try Row.fetchAll($0, sql: "SELECT forecaster, version FROM champion") }
        return Dictionary(rows.map { ($0["forecaster"], $0["version"]) }, uniquingKeysWith: { first, _ in first })
    }

    /// The training times of every forecaster that has any.
    public func schedule() throws -> [String: ScheduleRecord] {
        func time(_ value: Int64?) -> Timestamp? { value.map { Timestamp(nanoseconds: $0) } }
        let records = try read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM schedule").map { row in
                ScheduleRecord(
                    forecaster: row["forecaster"], nextDue: time(row["next_due"]),
                    lastStarted: time(row["last_started"]), lastFinished: time(row["last_finished"]),
                    lastOutcome: row["last_outcome"])
            }
        }
        return Dictionary(records.map { ($0.forecaster, $0) }, uniquingKeysWith: { first, _ in first })
    }
}
