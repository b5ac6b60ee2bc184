import Basics
import TimeSeries

/// The forecasts of one shard that may be read without asking its thread: what it would answer, and never older.
///
/// A forecast is put up when somebody asked the shard for it. It is taken down as soon as its series has anything to step
/// over, and the next one is put up by itself if this one was wanted: what nobody looks at costs nothing, however fast
/// readings come. Nothing is read while the shard has messages that it has not handled, because one of them may be the
/// reading that was just acknowledged.
///
/// Used by the shard's thread, by whoever sends it messages, and by readers of any thread; nobody holds the lock for more
/// than a look into the table.
final class ForecastCache: Sendable {
    private struct Content {
        /// Messages that are on their way to the shard or being handled.
        var coming = 0
        var shown: [SeriesID: (forecast: EncodedOnce<SeriesForecast>, wasRead: Bool)] = [:]
    }

    private let content = Locked(Content())

    /// A message will be sent.
    func expect() { content.withLock { $0.coming += 1 } }

    /// Messages were handled: what they change is taken down.
    func handled(_ count: Int) { content.withLock { $0.coming -= count } }

    /// - Parameter wasRead: whether somebody has this one already.
    func insert(_ forecast: SeriesForecast, of id: SeriesID, wasRead: Bool) {
        content.withLock { $0.shown[id] = (EncodedOnce(forecast), wasRead) }
    }

    /// - Returns: whether anybody has read it here.
    func invalidate(_ id: SeriesID) -> Bool { content.withLock { $0.shown.removeValue(forKey: id)?.wasRead ?? false } }

    /// nil: ask the shard. A silent series has another forecast for each slot that passes, which is not here.
    func read(_ id: SeriesID, now: Timestamp) -> EncodedOnce<SeriesForecast>? {
        content.withLock { content in
            guard content.coming == 0, let found = content.shown[id]?.forecast else { return nil }
            let (origin, cadence) = (found.value.forecast.origin, found.value.forecast.cadence)
            guard cadence.slot(of: now) - origin <= ShardView.silence else { return nil }
            content.shown[id]?.wasRead = true
            return found
        }
    }
}
