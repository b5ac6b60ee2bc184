import Basics
import GRDB
public import TimeSeries

/// A chunk that could not be read: its series and the time it covers.
public struct DamagedChunk: Sendable, Hashable {
    public var series: SeriesID
    public var start: Timestamp
    public var newest: Timestamp
    /// What is wrong with it.
    public var reason: String
}

extension Store {
    /// The stored readings of some series, from chunks and journal, in no particular order within a series.
    ///
    /// - Parameters:
    ///   - oldest: by series; most older readings are left out, but some may be included.
    ///   - end: readings of the journal after this position are left out.
    public func readings(
        of oldest: [SeriesID: Timestamp], through end: JournalPosition = .max
    ) throws -> [SeriesID: [PositionedReading]] {
        var histories: [SeriesID: [PositionedReading]] = [:]
        try eachHistory(of: oldest, through: end) { series, readings in histories[series] = readings }
        return histories
    }

    /// Calls `body` with ``readings(of:through:)``, one series at a time; series without readings are skipped.
    public func eachHistory(
        of oldest: [SeriesID: Timestamp], through end: JournalPosition,
        _ body: (SeriesID, [PositionedReading]) throws -> Void
    ) throws {
        // The journal first: readings that are sealed and dropped after this read are found in the chunks.
        let tail = try journalTail(of: oldest, through: end)
        for (series, time) in oldest {
            var sealed: [PositionedReading] = []
            var cursor = chunks(of: series, notOlderThan: time)
            while let chunk = try cursor.next() { sealed += chunk }
            let all = sealed + tail[series]
            if !all.isEmpty { try body(series, all) }
        }
    }

    /// The chunks of a series from `oldest` on; damaged ones are skipped and recorded in ``damagedChunks``.
    func chunks(of series: SeriesID, notOlderThan oldest: Timestamp) -> ChunkCursor {
        ChunkCursor(store: self, series: series, oldest: oldest)
    }

    func recordDamage(_ row: ChunkRows.Stored, _ reason: String) {
        let chunk = DamagedChunk(
            series: row.series, start: Timestamp(nanoseconds: row.start), newest: Timestamp(nanoseconds: row.newest),
            reason: reason)
        _ = damage.withLock { $0.insert(chunk) }
    }

    /// Whether the journal is being read; nothing may be dropped from it then.
    public var isJournalRead: Bool { readers.withLock { $0 > 0 } }

    /// The chunks found damaged since the database was opened.
    public var damagedChunks: Set<DamagedChunk> { damage.withLock { $0 } }

    /// The readings that count in the journal up to `end`.
    ///
    /// Nothing is dropped from the journal while this reads.
    ///
    /// - Parameter oldest: the series wanted and the oldest timestamp of each; nil for everything.
    public func journalTail(
        of oldest: [SeriesID: Timestamp]?, through end: JournalPosition = .max
    ) throws -> JournalTails {
        readers.withLock { $0 += 1 }
        defer { readers.withLock { $0 -= 1 } }
        var tails = JournalTails(sealed: try sealedPositions(), oldest: oldest, capacity: journalReadings)
        let limit = oldest.map { $0.values.min() ?? .distantFuture } ?? .distantPast
        try scanJournal(notOlderThan: limit) { entry in
            for (offset, reading) in entry.readings.enumerated() {
                let position = entry.firstPosition + JournalPosition(offset)
                if position <= end { tails.add(reading, at: position) }
            }
            return entry.firstPosition <= end
        }
        tails.sort()
        return tails
    }

    private func sealedPositions() throws -> [SeriesID: JournalPosition] {
        let pairs: [(SeriesID, JournalPosition)] = try read { db in
            try db.rows("SELECT id, sealed FROM series WHERE sealed > 0") { row in
                (SeriesID(try row.value("id", in: "series")), try row.value("sealed", in: "series"))
            }
        }
        return Dictionary(keepingFirst: pairs)
    }
}

/// Reads the chunks of one series in ascending order, in slices, so that no transaction stays open.
struct ChunkCursor {
    private let store: Store
    private let series: SeriesID
    private let oldest: Timestamp
    private var rows: ArraySlice<ChunkRows.Stored> = []
    /// The stored start of the last row; in a damaged row it may not be a number.
    private var start: DatabaseValue?
    private var isAtEnd = false

    init(store: Store, series: SeriesID, oldest: Timestamp) {
        (self.store, self.series, self.oldest) = (store, series, oldest)
    }

    /// The readings of the next chunk that can be read; nil at the end.
    mutating func next() throws -> [PositionedReading]? {
        while true {
            guard let row = rows.popFirst() else {
                guard !isAtEnd else { return nil }
                try fetch()
                continue
            }
            do {
                return try row.decoded().readings
            } catch {
                store.recordDamage(row, "\(error)")
            }
        }
    }

    private mutating func fetch() throws {
        let (series, oldest, start) = (series, oldest, start)
        rows = try store.read { db in
            try ChunkRows(db: db).fetch(series, notOlderThan: oldest, after: start, limit: 32)
        }[...]
        self.start = rows.last?.key ?? start
        isAtEnd = rows.isEmpty
    }
}
