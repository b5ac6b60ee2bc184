import GRDB
public import TimeSeries

/// Slots of a series, under one epoch, that its model gave no answer for.
public struct Outage: Sendable, Hashable {
    public var series: SeriesID
    public var epoch: Int64
    public var slots: ClosedRange<Slot>

    public init(series: SeriesID, epoch: Int64, slots: ClosedRange<Slot>) {
        (self.series, self.epoch, self.slots) = (series, epoch, slots)
    }
}

extension WriteTransaction {
    /// Stores an outage, or its longer form, and drops those that no checkpoint of the series reaches back to.
    public func saveOutage(_ outage: Outage) throws {
        let series = outage.series.rawValue
        // A series may have been forgotten meanwhile.
        let insert = "INSERT OR REPLACE INTO outage SELECT id, ?, ?, ? FROM series WHERE id = ?"
        try db.cachedStatement(sql: insert).execute(
            arguments: [outage.epoch, outage.slots.lowerBound, outage.slots.upperBound, series])
        let prune = """
            DELETE FROM outage WHERE series = ?1 AND (epoch < ?2 OR to_slot <=
                (SELECT MIN(slot) FROM checkpoint WHERE series = ?1 AND epoch = ?2))
            """
        try db.cachedStatement(sql: prune).execute(arguments: [series, outage.epoch])
    }
}

extension Store {
    /// Every outage that a replay may reach.
    public func outages() throws -> [Outage] {
        try read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM outage ORDER BY series, epoch, from_slot").compactMap { row in
                guard let series = row.value("series", as: Int64.self), let epoch = row.value("epoch", as: Int64.self),
                    let from = row.value("from_slot", as: Slot.self), let to = row.value("to_slot", as: Slot.self)
                else { return nil }
                return Outage(series: SeriesID(series), epoch: epoch, slots: from...max(from, to))
            }
        }
    }
}
