import Basics
import Storage
import TimeSeries

/// What the shards have for the writer. Shards never wait here.
///
/// Scores are promised: a checkpoint lies behind the truths that it has scored, and no replay from it earns them again. So
/// none is written before the scores of its series that were earned before it.
struct PendingWrites: Sendable {
    let checkpoints = Outbox<Checkpoint>(of: { $0.series }, joined: { $1 })
    let scores = Outbox<FinishedScores>(of: { $0.series }, joined: { $0.joined(with: $1) })
    /// These go with the next commit: what a reading's state is depends on them.
    let outages = OutageBox()

    /// Takes some of each for a transaction, which ends with ``PendingBatch/written()`` or ``PendingBatch/putBack()``.
    ///
    /// - Parameter limit: of how many series.
    func take(_ limit: Int) -> PendingBatch {
        let scores = scores.take(limit)
        let candidates = checkpoints.take(limit)
        // Looked at last: a shard puts the scores before the checkpoint.
        let waiting = self.scores.waiting(among: candidates.map(\.series))
        let early = candidates.filter { waiting.contains($0.series) }
        checkpoints.putBack(early)
        let ready = early.isEmpty ? candidates : candidates.filter { !waiting.contains($0.series) }
        return PendingBatch(checkpoints: ready, scores: scores, source: self)
    }

    /// Takes the scores of some series, for a transaction that begins another epoch of theirs.
    func takeScores(of series: some Collection<SeriesID>) -> PendingBatch {
        PendingBatch(checkpoints: [], scores: scores.take(of: series), source: self)
    }
}

/// Rows on their way to the database.
struct PendingBatch: Sendable {
    let checkpoints: [Checkpoint]
    let scores: [FinishedScores]
    fileprivate let source: PendingWrites

    var isEmpty: Bool { checkpoints.isEmpty && scores.isEmpty }

    func write(to transaction: WriteTransaction) throws {
        for item in checkpoints { try transaction.saveCheckpoint(item) }
        for item in scores {
            for block in item.blocks {
                try transaction.saveScores(block.scores, of: item.series, cadence: block.cadence)
            }
        }
    }

    /// The transaction was committed.
    func written() {
        source.checkpoints.forget(checkpoints)
        source.scores.forget(scores)
    }

    /// The transaction has failed.
    func putBack() {
        source.checkpoints.putBack(checkpoints)
        source.scores.putBack(scores)
    }
}

/// Blocks of slots of one series whose truths have come.
struct FinishedScores: Sendable {
    struct Block: Sendable {
        /// Of the block: the series may have another by now.
        var cadence: Cadence
        var scores: SlotScores

        var start: Timestamp { cadence.start(of: scores.start) }
        /// Where its last slot begins.
        var lastSlot: Timestamp { cadence.start(of: scores.lastSlot) }
    }

    var series: SeriesID
    /// Each with another start.
    var blocks: [Block]

    /// With those that were finished later; of one start the later counts.
    func joined(with later: FinishedScores) -> FinishedScores {
        let starts = Set(later.blocks.map(\.start))
        return FinishedScores(series: series, blocks: blocks.filter { !starts.contains($0.start) } + later.blocks)
    }
}

/// Items that wait, one per series, and those that are being written.
final class Outbox<Item: Sendable>: Sendable {
    fileprivate struct Content {
        var waiting: [SeriesID: Item] = [:]
        var leaving: [SeriesID: Item] = [:]
        /// The series whose items are taken out next, last first.
        var turn: [SeriesID] = []
    }

    private let content = Locked(Content())
    private let series: @Sendable (Item) -> SeriesID
    private let joined: @Sendable (_ older: Item, _ newer: Item) -> Item

    init(
        of series: @escaping @Sendable (Item) -> SeriesID,
        joined: @escaping @Sendable (_ older: Item, _ newer: Item) -> Item
    ) {
        (self.series, self.joined) = (series, joined)
    }

    func put(_ item: Item) {
        content.withLock { content in
            let series = series(item)
            content.waiting[series] = content.waiting[series].map { joined($0, item) } ?? item
        }
    }

    /// Takes out at most `limit` items in the order of their series: neighbours share pages of the database, and a page is
    /// written for each commit that touches it.
    func take(_ limit: Int) -> [Item] {
        content.withLock { content in
            if content.turn.isEmpty { content.turn = content.waiting.keys.sorted(by: >) }
            let next = content.turn.suffix(limit)
            content.turn.removeLast(next.count)
            return next.reversed().compactMap { content.take($0) }
        }
    }

    func take(of series: some Collection<SeriesID>) -> [Item] {
        content.withLock { content in series.compactMap { content.take($0) } }
    }

    /// The items were written.
    func forget(_ items: [Item]) {
        content.withLock { content in for item in items { content.leaving[series(item)] = nil } }
    }

    /// The items were not written; what has come since goes before them.
    func putBack(_ items: [Item]) {
        content.withLock { content in
            for item in items {
                let series = series(item)
                content.leaving[series] = nil
                content.waiting[series] = content.waiting[series].map { joined(item, $0) } ?? item
            }
        }
    }

    /// Of `series`, those that have an item waiting.
    func waiting(among series: [SeriesID]) -> Set<SeriesID> {
        content.withLock { content in Set(series.filter { content.waiting[$0] != nil }) }
    }

    /// What is not known to be written, of some series.
    func pending(of series: some Collection<SeriesID>) -> [SeriesID: Item] {
        content.withLock { content in
            var found: [SeriesID: Item] = [:]
            for id in series {
                let parts = [content.leaving[id], content.waiting[id]].compactMap { $0 }
                found[id] = parts.count == 2 ? joined(parts[0], parts[1]) : parts.first
            }
            return found
        }
    }
}

extension Outbox.Content {
    /// One that is leaving stays known until it is written.
    fileprivate mutating func take(_ series: SeriesID) -> Item? {
        let item = waiting.removeValue(forKey: series)
        if let item { leaving[series] = item }
        return item
    }
}
