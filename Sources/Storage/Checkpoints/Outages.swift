import GRDB
public import TimeSeries

/// Slots of a series, within one epoch, for which its model gave no answer.
public struct Outage: Sendable, Hashable {
    public var series: SeriesID
    public var epoch: Int64
    public var slots: ClosedRange<Slot>

    public init(series: SeriesID, epoch: Int64, slots: ClosedRange<Slot>) {
        (self.series, self.epoch, self.slots) = (series, epoch, slots)
    }
}

extension WriteTransaction {
    /// Stores an outage, or replaces it by a longer one with the same start, and drops those of earlier epochs and
    /// those before every checkpoint of its epoch.
    public func saveOutage(_ outage: Outage) throws {
        let series = outage.series.rawValue
        // The series may have been deleted in the meantime.
        let insert = """
            INSERT OR REPLACE INTO outage (series, epoch, from_slot, to_slot) SELECT id, ?, ?, ? FROM series WHERE id = ?
            """
        try db.cachedStatement(sql: insert).execute(
            arguments: [outage.epoch, outage.slots.lowerBound, outage.slots.upperBound, series])
        try CheckedTable.outage.updateChecksums(
            db, where: "series = ? AND epoch = ? AND from_slot = ?", [series, outage.epoch, outage.slots.lowerBound])
        let prune = """
            DELETE FROM outage WHERE series = ?1 AND (epoch < ?2 OR to_slot <=
                (SELECT MIN(slot) FROM checkpoint WHERE \(CheckpointRows.isOfSeries) AND epoch = ?2))
            """
        try db.cachedStatement(sql: prune).execute(arguments: [series, outage.epoch])
    }
}

extension Store {
    /// Every outage that a replay may reach.
    public func outages() throws -> [Outage] {
        try read { db in
            try db.rows("SELECT * FROM outage ORDER BY series, epoch, from_slot") { row in
                let from: Slot = try row.value("from_slot", in: "outage")
                let to: Slot = try row.value("to_slot", in: "outage")
                return Outage(
                    series: SeriesID(try row.value("series", in: "outage")),
                    epoch: try row.value("epoch", in: "outage"), slots: from...max(from, to))
            }
        }
    }
}
