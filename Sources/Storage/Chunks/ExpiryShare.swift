import GRDB
public import TimeSeries

/// How much of what has expired may be removed at once: twice as much as expires in the meantime, and at least a
/// twentieth a day.
public enum ExpiryShare: Sendable {
    /// Everything within two hours of the oldest reading.
    case hourly
    /// Everything within two days of the oldest reading, or a twentieth of all rows. If there are fewer than twenty
    /// rows, the day's number decides on which days one is removed.
    case daily(Int64)
    /// Everything that has expired.
    case all

    private static let hour: Int64 = 3_600_000_000_000

    /// The limit of a share by time, given the oldest timestamp.
    fileprivate func limit(_ limit: Timestamp, oldest: Timestamp) -> Timestamp {
        switch self {
        case .hourly: min(limit, oldest.advanced(byNanoseconds: 2 * Self.hour))
        case .daily: min(limit, oldest.advanced(byNanoseconds: 48 * Self.hour))
        case .all: limit
        }
    }

    /// How many of `count` rows may be removed, however much time they cover.
    fileprivate func part(of count: Int) -> Int {
        switch self {
        case .hourly: 0
        case .daily(let day): count >= 20 ? count / 20 : day % Int64(20 / max(1, count)) == 0 ? 1 : 0
        case .all: count
        }
    }
}

extension Store {
    /// The first and last timestamp of the oldest chunk of a series; nil without one.
    public func oldestChunk(of series: SeriesID) throws -> (start: Timestamp, newest: Timestamp)? {
        try read { try ChunkRows(db: $0).oldest(of: series) }
    }
}

extension WriteTransaction {
    /// Removes the chunks of a series that hold nothing at or after `limit`, as far as `share` allows, and the scores
    /// before what remains.
    public func expire(_ series: SeriesID, before limit: Timestamp, _ share: ExpiryShare) throws {
        let rows = ChunkRows(db: db)
        guard let oldest = try rows.oldest(of: series), oldest.newest < limit else { return }
        try rows.drop(series, before: share.limit(limit, oldest: oldest.start), atMost: nil)
        let part = share.part(of: try rows.count(of: series))
        if part > 0 { try rows.drop(series, before: limit, atMost: part) }
        let remaining = try rows.oldest(of: series)?.start ?? limit
        try dropScores(of: [series], before: min(limit, remaining))
    }

    /// Removes the first rows of the journal that hold nothing at or after `limit` and lie at or before `end`, as far
    /// as `share` allows.
    public func expireJournal(before limit: Timestamp, through end: JournalPosition, _ share: ExpiryShare) throws {
        let rows = JournalRows(db: db)
        guard let first = try rows.firstRow() else { return }
        try deleteJournal(before: share.limit(limit, oldest: first.newest), through: end)
        let part = share.part(of: Int(end - first.position + 1))
        if part > 0 { try deleteJournal(before: limit, through: min(end, first.position + JournalPosition(part) - 1)) }
    }
}
