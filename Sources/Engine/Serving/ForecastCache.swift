import Basics
import TimeSeries

/// The forecasts of one shard that can be read without asking its thread; never older than the thread's answer.
///
/// A forecast is cached when the shard was asked for it. It is invalidated as soon as its series has something to step
/// over, and the next one is cached automatically if this one was read: forecasts that nobody reads cost nothing,
/// however fast readings arrive. All reads miss while the shard has unhandled messages, because one of them may carry a
/// reading that was just acknowledged.
///
/// Used by the shard's thread, by senders of messages to it, and by readers on any thread; the lock is held only for a
/// dictionary operation.
final class ForecastCache: Sendable {
    private struct Content {
        /// The number of messages on their way to the shard or being handled.
        var pendingMessages = 0
        var entries: [SeriesID: (forecast: EncodedOnce<SeriesForecast>, wasRead: Bool)] = [:]
    }

    private let content = Locked(Content())

    /// Notes that a message will be sent.
    func willSend() { content.withLock { $0.pendingMessages += 1 } }

    /// Notes that messages were handled, and the forecasts that they change invalidated.
    func didHandle(_ count: Int) { content.withLock { $0.pendingMessages -= count } }

    /// - Parameter wasRead: whether somebody has already read this forecast.
    func insert(_ forecast: SeriesForecast, of id: SeriesID, wasRead: Bool) {
        content.withLock { $0.entries[id] = (EncodedOnce(forecast), wasRead) }
    }

    /// - Returns: whether it was read from the cache.
    func invalidate(_ id: SeriesID) -> Bool {
        content.withLock { $0.entries.removeValue(forKey: id)?.wasRead ?? false }
    }

    /// The cached forecast; nil: ask the shard.
    ///
    /// The forecast of a silent series changes with each slot that passes, so it is not served from here.
    func read(_ id: SeriesID, now: Timestamp) -> EncodedOnce<SeriesForecast>? {
        content.withLock { content in
            guard content.pendingMessages == 0, let cached = content.entries[id]?.forecast else { return nil }
            let (origin, cadence) = (cached.value.forecast.origin, cached.value.forecast.cadence)
            guard cadence.slot(of: now) - origin <= ShardView.silence else { return nil }
            content.entries[id]?.wasRead = true
            return cached
        }
    }
}
