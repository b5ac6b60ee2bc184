import Storage
import Synchronization
import TimeSeries

/// Checkpoints on their way from the shards to the writer; a newer one of a series replaces the older.
///
/// Shards never wait here: a checkpoint is a short cut for recovery, not a promise.
final class CheckpointBox: Sendable {
    private let waiting = Mutex<[SeriesID: Checkpoint]>([:])

    var isEmpty: Bool { waiting.withLock { $0.isEmpty } }

    func put(_ checkpoint: Checkpoint) { waiting.withLock { $0[checkpoint.series] = checkpoint } }

    /// Takes out at most `limit` checkpoints.
    func take(_ limit: Int) -> [Checkpoint] {
        waiting.withLock { waiting in
            let taken = Array(waiting.values.prefix(limit))
            for checkpoint in taken { waiting.removeValue(forKey: checkpoint.series) }
            return taken
        }
    }
}
