import GRDB
public import TimeSeries

/// How much of what has expired may be removed at once: twice as much as becomes old meanwhile, and a twentieth a day.
public enum ExpiryShare: Sendable {
    /// What lies within two hours of the oldest reading.
    case hourly
    /// What lies within two days of the oldest reading, or a twentieth of everything. The day's number decides when a part
    /// of fewer than twenty has its turn.
    case daily(Int64)
    /// Everything that has expired.
    case all

    private static let hour: Int64 = 3_600_000_000_000

    /// The limit for a share by time, given the oldest time there is.
    fileprivate func limit(_ limit: Timestamp, oldest: Timestamp) -> Timestamp {
        switch self {
        case .hourly: min(limit, oldest.advanced(byNanoseconds: 2 * Self.hour))
        case .daily: min(limit, oldest.advanced(byNanoseconds: 48 * Self.hour))
        case .all: limit
        }
    }

    /// How many of `count` may go, however long a time they cover.
    fileprivate func part(of count: Int) -> Int {
        switch self {
        case .hourly: 0
        case .daily(let day): count >= 20 ? count / 20 : day % Int64(20 / max(1, count)) == 0 ? 1 : 0
        case .all: count
        }
    }
}

extension Store {
    /// When the oldest chunk of a series begins and ends; nil without one.
    public func oldestChunk(of series: SeriesID) throws -> (start: Timestamp, newest: Timestamp)? {
        try read { try ChunkRows(db: $0).oldest(of: series) }
    }
}

extension WriteTransaction {
    /// Removes the chunks of a series that hold nothing at or after `limit`, as far as `share` goes, and the scores from
    /// before what is left.
    public func expire(_ series: SeriesID, before limit: Timestamp, _ share: ExpiryShare) throws {
        let rows = ChunkRows(db: db)
        guard let oldest = try rows.oldest(of: series), oldest.newest < limit else { return }
        try rows.drop(series, before: share.limit(limit, oldest: oldest.start), atMost: nil)
        let part = share.part(of: try rows.count(of: series))
        if part > 0 { try rows.drop(series, before: limit, atMost: part) }
        let left = try rows.oldest(of: series)?.start ?? limit
        try dropScores(of: [series], before: min(limit, left))
    }

    /// Removes the first rows of the journal that hold nothing at or after `limit` and lie at or before `end`, as far as
    /// `share` goes.
    public func expireJournal(before limit: Timestamp, through end: JournalPosition, _ share: ExpiryShare) throws {
        let rows = JournalRows(db: db)
        guard let first = try rows.firstRow() else { return }
        try deleteJournal(before: share.limit(limit, oldest: first.newest), through: end)
        let part = share.part(of: Int(end - first.position + 1))
        if part > 0 { try deleteJournal(before: limit, through: min(end, first.position + JournalPosition(part) - 1)) }
    }
}
