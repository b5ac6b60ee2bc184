public import TimeSeries

/// Something that watchers are told.
public enum EngineEvent: Sendable {
    /// A forecast after a commit; `value` is the open slot's.
    case forecast(SeriesForecast)
    /// A closed slot whose value was improbable under the forecast made before it; once for each slot.
    case anomaly(SeriesAnomaly)
    /// Another model serves the series now.
    case model(series: SeriesKey, forecaster: String, version: Int, reason: String)

    var series: SeriesKey {
        switch self {
        case .forecast(let forecast): forecast.series
        case .anomaly(let anomaly): anomaly.series
        case .model(let series, _, _, _): series
        }
    }

    /// What a sink may ask for; the raw values are the words of the configuration and of the control interface.
    public enum Kind: String, Sendable, CaseIterable {
        case forecast, anomaly, model
    }

    var kind: Kind {
        switch self {
        case .forecast: .forecast
        case .anomaly: .anomaly
        case .model: .model
        }
    }
}

/// A forecast with what it was made by and of.
public struct SeriesForecast: Sendable {
    public var series: SeriesKey
    public var forecaster: String
    public var method: String
    /// The version's number within the forecaster.
    public var version: Int
    public var forecast: Forecast
    /// The tail probability of the newest value under the forecast made before it; nil without one.
    public var tail: Float?
    /// How unusual the slot is for this series, in bits: 0 for nothing unusual, at most 20.
    public var surprise: Float
    /// The newest slots, ascending; the last is the open one.
    public var history: [(slot: Slot, value: Float)]
}

/// Hands events to whoever watches. A watcher who falls behind is dropped, never waited for.
final class Watchers: Sendable {
    private struct Watcher {
        var selector: SeriesSelector
        var kinds: Set<EngineEvent.Kind>
        /// Told of an event that found the stream full; nil: the watcher is dropped then.
        var overflow: (@Sendable () -> Void)?
        var continuation: AsyncThrowingStream<Published<EngineEvent>, any Error>.Continuation
    }

    private let watchers = Locked<[Int: Watcher]>([:])
    private let nextID = Locked(0)
    /// Events a watcher may be behind before it is dropped.
    private let capacity: Int

    init(capacity: Int = 1_024) { self.capacity = capacity }

    var count: Int { watchers.withLock { $0.count } }

    /// Whether anybody watches events of this kind.
    func want(_ kind: EngineEvent.Kind) -> Bool {
        watchers.withLock { $0.values.contains { $0.kinds.contains(kind) } }
    }

    /// Events about the selected series from now on.
    func subscribe(
        _ selector: SeriesSelector, kinds: Set<EngineEvent.Kind> = Set(EngineEvent.Kind.allCases),
        overflow: (@Sendable () -> Void)? = nil
    ) -> AsyncThrowingStream<Published<EngineEvent>, any Error> {
        let (stream, continuation) = AsyncThrowingStream.makeStream(
            of: Published<EngineEvent>.self, bufferingPolicy: .bufferingOldest(capacity))
        let id = nextID.withLock { id in
            id += 1
            return id
        }
        watchers.withLock {
            $0[id] = Watcher(selector: selector, kinds: kinds, overflow: overflow, continuation: continuation)
        }
        continuation.onTermination = { [weak self] _ in _ = self?.watchers.withLock { $0.removeValue(forKey: id) } }
        return stream
    }

    func publish(_ event: EngineEvent) {
        let published = Published(event)
        // Not under the lock: a watcher that is told while its task is being cancelled waits for that task, whose
        // cancellation waits for the lock to forget the watcher.
        let slow = watchers.withLock({ $0 }).filter { _, watcher in
            guard watcher.kinds.contains(event.kind), watcher.selector.matches(event.series) else { return false }
            guard case .dropped = watcher.continuation.yield(published) else { return false }
            watcher.overflow?()
            return watcher.overflow == nil
        }
        for (_, watcher) in slow { watcher.continuation.finish(throwing: EngineError.watcherBehind(events: capacity)) }
    }

    func finish() {
        for (_, watcher) in watchers.withLock({ $0 }) { watcher.continuation.finish() }
    }
}
