import Basics
import GRDB
import TimeSeries

/// The rows of `checkpoint`, inside a transaction: two rows per series, overwritten alternately.
struct CheckpointRows {
    let db: Database

    /// What the `place` of a series' second row adds to that of its first, which is the series' number. Far above the
    /// number of series.
    private static let secondRowOffset: Int64 = 1 << 40
    /// SQL: the row belongs to series ?1.
    static let isOfSeries = "place IN (?1, ?1 + \(secondRowOffset))"

    /// Stores a checkpoint over the older one of its series, or over one of the same epoch and slot.
    func save(_ checkpoint: Checkpoint) throws {
        let payload = CheckpointCodec.encode(checkpoint)
        // The series may have been deleted in the meantime.
        let sql = """
            INSERT OR REPLACE INTO checkpoint (place, epoch, slot, crc32c, payload)
            SELECT CASE (SELECT place FROM checkpoint WHERE \(Self.isOfSeries) AND (epoch, slot) <> (?2, ?3)
                    ORDER BY epoch DESC, slot DESC LIMIT 1)
                WHEN ?1 THEN ?1 + \(Self.secondRowOffset) ELSE ?1 END, ?2, ?3, ?4, ?5 FROM series WHERE id = ?1
            """
        try db.cachedStatement(sql: sql).execute(
            arguments: [
                checkpoint.series.rawValue, checkpoint.epoch, checkpoint.slot,
                Self.checksum(checkpoint.series, checkpoint.epoch, checkpoint.slot, payload), Blob(payload),
            ])
    }

    func remove(places: [Int64]) throws {
        let statement = try db.cachedStatement(sql: "DELETE FROM checkpoint WHERE place = ?")
        for place in places { try statement.execute(arguments: [place]) }
    }

    func remove(_ series: SeriesID) throws {
        let sql = "DELETE FROM checkpoint WHERE \(Self.isOfSeries)"
        try db.cachedStatement(sql: sql).execute(arguments: [series.rawValue])
    }

    func fetchAll() throws -> RecoveredCheckpoints {
        var recovered = RecoveredCheckpoints()
        let rows = try Row.fetchCursor(db, sql: "SELECT * FROM checkpoint")
        while let row = try rows.next() {
            let place: Int64 = row.value("place") ?? 0
            let series = SeriesID(place < Self.secondRowOffset ? place : place - Self.secondRowOffset)
            if let checkpoint = Self.checkpoint(row, series) {
                recovered.good[series, default: []].append(checkpoint)
            } else {
                recovered.damaged.append((series, row.value("slot") ?? 0))
                recovered.damagedPlaces.append(place)
            }
        }
        for series in recovered.good.keys { recovered.good[series]?.sort { ($0.epoch, $0.slot) > ($1.epoch, $1.slot) } }
        return recovered
    }

    private static func checkpoint(_ row: Row, _ series: SeriesID) -> Checkpoint? {
        guard let bytes = row.value("payload", as: Blob.self)?.bytes, let epoch = row.value("epoch", as: Int64.self),
            let slot = row.value("slot", as: Slot.self),
            checksum(series, epoch, slot, bytes) == row.value("crc32c", as: Int64.self)
                || PlantedBug.damagedCheckpointUsed.isActive
        else { return nil }
        return try? CheckpointCodec.decode(bytes, series: series, epoch: epoch, slot: slot)
    }

    private static func checksum(_ series: SeriesID, _ epoch: Int64, _ slot: Slot, _ payload: [UInt8]) -> Int64 {
        Int64(CRC32C.checksum(of: [series.rawValue, epoch, slot], payload))
    }
}
