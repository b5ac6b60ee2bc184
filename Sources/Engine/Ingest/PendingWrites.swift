import Basics
import Storage
import TimeSeries

/// The rows that the shards hand to the writer; shards never wait here.
///
/// Scores must not be lost: a checkpoint comes after the values that it has scored, and a replay from it does not
/// compute their scores again. So a checkpoint is never written before the scores of its series that were computed
/// before it.
struct PendingWrites: Sendable {
    let checkpoints = Outbox<Checkpoint>(of: { $0.series }, joined: { $1 })
    let scores = Outbox<FinishedScores>(of: { $0.series }, joined: { $0.joined(with: $1) })
    /// Written with the next commit, or without one: the state depends on them.
    let outages = OutageBox()

    /// Whether nothing waits.
    var isEmpty: Bool {
        (outages.isEmpty || PlantedBug.outagesLostAtStop.isActive) && checkpoints.isEmpty && scores.isEmpty
    }

    /// Dequeues some of each for a transaction, after which call ``PendingBatch/confirm()`` or
    /// ``PendingBatch/requeue()``.
    ///
    /// - Parameter limit: the maximum number of series of each kind.
    func dequeue(_ limit: Int) -> PendingBatch {
        let scores = scores.dequeue(limit)
        let candidates = checkpoints.dequeue(limit)
        // Checked last: a shard puts the scores before the checkpoint.
        let waiting = self.scores.waiting(among: candidates.map(\.series))
        let deferred = candidates.filter { waiting.contains($0.series) }
        checkpoints.requeue(deferred)
        let ready = deferred.isEmpty ? candidates : candidates.filter { !waiting.contains($0.series) }
        return PendingBatch(checkpoints: ready, scores: scores, source: self)
    }

    /// Dequeues the scores of some series, for a transaction that begins their next epoch.
    func dequeueScores(of series: some Collection<SeriesID>) -> PendingBatch {
        PendingBatch(checkpoints: [], scores: scores.dequeue(of: series), source: self)
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
    func confirm() {
        source.checkpoints.confirm(checkpoints)
        source.scores.confirm(scores)
    }

    /// The transaction has failed.
    func requeue() {
        source.checkpoints.requeue(checkpoints)
        source.scores.requeue(scores)
    }
}

/// The scores of finished blocks of slots of one series.
struct FinishedScores: Sendable {
    struct Block: Sendable {
        /// The cadence of the block: the series may have another by now.
        var cadence: Cadence
        var scores: SlotScores

        var start: Timestamp { cadence.start(of: scores.start) }
        /// When its last slot begins.
        var lastSlot: Timestamp { cadence.start(of: scores.lastSlot) }
    }

    var series: SeriesID
    /// No two with the same start.
    var blocks: [Block]

    /// Merges blocks that were finished later; of two with the same start, the later counts.
    func joined(with later: FinishedScores) -> FinishedScores {
        let starts = Set(later.blocks.map(\.start))
        return FinishedScores(series: series, blocks: blocks.filter { !starts.contains($0.start) } + later.blocks)
    }
}

/// Items that wait to be written, one per series, and those that are being written.
final class Outbox<Item: Sendable>: Sendable {
    fileprivate struct Content {
        var waiting: [SeriesID: Item] = [:]
        var inFlight: [SeriesID: Item] = [:]
        /// The series whose items are dequeued next, in reverse order.
        var order: [SeriesID] = []
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

    /// Whether no item waits to be dequeued.
    var isEmpty: Bool { content.withLock { $0.waiting.isEmpty } }

    func put(_ item: Item) {
        content.withLock { content in
            let series = series(item)
            content.waiting[series] = content.waiting[series].map { joined($0, item) } ?? item
        }
    }

    /// Dequeues at most `limit` items in the order of their series.
    ///
    /// Neighbouring series share database pages, and each commit writes every page that it touches.
    func dequeue(_ limit: Int) -> [Item] {
        content.withLock { content in
            if content.order.isEmpty { content.order = content.waiting.keys.sorted(by: >) }
            let next = content.order.suffix(limit)
            content.order.removeLast(next.count)
            return next.reversed().compactMap { content.beginWriting($0) }
        }
    }

    func dequeue(of series: some Collection<SeriesID>) -> [Item] {
        content.withLock { content in series.compactMap { content.beginWriting($0) } }
    }

    /// The items were written.
    func confirm(_ items: [Item]) {
        content.withLock { content in for item in items { content.inFlight[series(item)] = nil } }
    }

    /// The items were not written; newer items of the same series are merged over them.
    func requeue(_ items: [Item]) {
        content.withLock { content in
            for item in items {
                let series = series(item)
                content.inFlight[series] = nil
                content.waiting[series] = content.waiting[series].map { joined(item, $0) } ?? item
            }
        }
    }

    /// The members of `series` that have an item waiting.
    func waiting(among series: [SeriesID]) -> Set<SeriesID> {
        content.withLock { content in Set(series.filter { content.waiting[$0] != nil }) }
    }

    /// The items of some series that are not known to be on disk.
    func pending(of series: some Collection<SeriesID>) -> [SeriesID: Item] {
        content.withLock { content in
            var result: [SeriesID: Item] = [:]
            for id in series {
                let parts = [content.inFlight[id], content.waiting[id]].compactMap { $0 }
                result[id] = parts.count == 2 ? joined(parts[0], parts[1]) : parts.first
            }
            return result
        }
    }
}

extension Outbox.Content {
    /// An item that is being written stays visible until that is confirmed.
    fileprivate mutating func beginWriting(_ series: SeriesID) -> Item? {
        let item = waiting.removeValue(forKey: series)
        if let item { inFlight[series] = item }
        return item
    }
}
