import Storage
import TimeSeries

/// What the shards have for the writer. Shards never wait here, and none of it is a promise: a checkpoint is a short cut
/// for recovery, and scores come again with the replay.
struct Outgoing: Sendable {
    let checkpoints = Outbox<SeriesID, Checkpoint>()
    let scores = Outbox<ScoreKey, FinishedScores>()
    /// These go with the next commit: what a reading's state is depends on them.
    let outages = OutageBox()

    var isEmpty: Bool { checkpoints.isEmpty && scores.isEmpty }

    /// Takes out at most `limit` of each.
    func take(_ limit: Int) -> Upkeep { Upkeep(checkpoints: checkpoints.take(limit), scores: scores.take(limit)) }
}

/// Rows on their way to the database.
struct Upkeep: Sendable {
    var checkpoints: [Checkpoint]
    var scores: [FinishedScores]

    var isEmpty: Bool { checkpoints.isEmpty && scores.isEmpty }

    func write(to transaction: WriteTransaction) throws {
        for item in checkpoints { try transaction.saveCheckpoint(item) }
        for item in scores { try transaction.saveScores(item.scores, of: item.series, cadence: item.cadence) }
    }
}

/// A block of slots whose truths have come.
struct FinishedScores: Sendable {
    var series: SeriesID
    var cadence: Cadence
    var scores: SlotScores

    var key: ScoreKey { ScoreKey(series: series, start: scores.start) }
}

/// Which block of which series.
struct ScoreKey: Hashable, Comparable, Sendable {
    var series: SeriesID
    var start: Slot

    static func < (a: ScoreKey, b: ScoreKey) -> Bool { (a.series, a.start) < (b.series, b.start) }
}

/// Items that wait, one per key: a newer one replaces the older.
final class Outbox<Key: Hashable & Comparable & Sendable, Item: Sendable>: Sendable {
    private struct Content {
        var waiting: [Key: Item] = [:]
        /// The keys that are taken out next, last first.
        var turn: [Key] = []
    }

    private let content = Locked(Content())

    var isEmpty: Bool { content.withLock { $0.waiting.isEmpty } }

    func put(_ item: Item, for key: Key) { content.withLock { $0.waiting[key] = item } }

    /// Takes out at most `limit` items in the order of their keys: neighbours share pages of the database, and a page is
    /// written for each commit that touches it.
    func take(_ limit: Int) -> [Item] {
        content.withLock { content in
            if content.turn.isEmpty { content.turn = content.waiting.keys.sorted(by: >) }
            let next = content.turn.suffix(limit)
            content.turn.removeLast(next.count)
            return next.reversed().compactMap { content.waiting.removeValue(forKey: $0) }
        }
    }
}
