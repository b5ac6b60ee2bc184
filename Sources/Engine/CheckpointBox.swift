import Storage
import TimeSeries

/// Checkpoints on their way from the shards to the writer; a newer one of a series replaces the older.
///
/// Shards never wait here: a checkpoint is a short cut for recovery, not a promise.
final class CheckpointBox: Sendable {
    private struct Content {
        var waiting: [SeriesID: Checkpoint] = [:]
        /// The series that are taken out next, last first.
        var turn: [SeriesID] = []
    }

    private let content = Locked(Content())
    /// What goes the same way with every commit.
    let outages = OutageBox()

    var isEmpty: Bool { content.withLock { $0.waiting.isEmpty } }

    func put(_ checkpoint: Checkpoint) { content.withLock { $0.waiting[checkpoint.series] = checkpoint } }

    /// Takes out at most `limit` checkpoints, in the order of the series: neighbours share pages of the database, and a
    /// page is written for each commit that touches it.
    func take(_ limit: Int) -> [Checkpoint] {
        content.withLock { content in
            if content.turn.isEmpty { content.turn = content.waiting.keys.sorted(by: >) }
            let next = content.turn.suffix(limit)
            content.turn.removeLast(next.count)
            return next.reversed().compactMap { content.waiting.removeValue(forKey: $0) }
        }
    }
}
