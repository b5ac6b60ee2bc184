import Basics
public import TimeSeries

/// An event for watchers.
public enum EngineEvent: Sendable {
    /// A forecast after a commit; `value` is the open slot's.
    case forecast(SeriesForecast)
    /// A closed slot whose value was improbable under the forecast made before it; once for each slot.
    case anomaly(SeriesAnomaly)
    /// Another model serves the series now.
    case model(series: SeriesKey, forecaster: String, version: Int, reason: String)
    /// The number of events that this watcher lost because it read too slowly.
    case lost(Int)

    /// nil for an event that is about no series.
    var series: SeriesKey? {
        switch self {
        case .forecast(let forecast): forecast.series
        case .anomaly(let anomaly): anomaly.series
        case .model(let series, _, _, _): series
        case .lost: nil
        }
    }

    /// Its estimated size in a queue, including its encoded text, in bytes.
    var size: Int {
        switch self {
        case .forecast(let forecast): 700 + 24 * forecast.forecast.values.count + 64 * forecast.history.count
        case .anomaly, .model, .lost: 700
        }
    }

    /// The kinds of events to subscribe to; the raw values are used in the configuration and the control interface.
    public enum Kind: String, Sendable, CaseIterable {
        case forecast, anomaly, model
    }

    /// nil for an event that every watcher receives.
    var kind: Kind? {
        switch self {
        case .forecast: .forecast
        case .anomaly: .anomaly
        case .model: .model
        case .lost: nil
        }
    }
}

/// A forecast with its model and the newest values of its series.
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

/// Delivers events to watchers without ever waiting for one.
///
/// A watcher that falls behind loses events and receives their number.
final class Watchers: Sendable {
    private struct Watcher {
        var selector: SeriesSelector
        var kinds: Set<EngineEvent.Kind>
        var queue: EventQueue

        func matches(_ event: EngineEvent) -> Bool {
            guard let series = event.series, let kind = event.kind else { return true }
            return kinds.contains(kind) && selector.matches(series)
        }
    }

    private let watchers = Locked<[Int: Watcher]>([:])
    private let nextID = Locked(0)
    private let budget: EventQueue.Budget

    /// - Parameter memory: what the events waiting for all watchers may use, in bytes.
    init(memory: Int) { budget = EventQueue.Budget(limit: memory, perQueue: memory / 2) }

    var count: Int { watchers.withLock { $0.count } }

    /// Whether any watcher subscribes to events of this kind.
    func hasSubscriber(for kind: EngineEvent.Kind) -> Bool {
        watchers.withLock { $0.values.contains { $0.kinds.contains(kind) } }
    }

    /// Events about the selected series from now on.
    func subscribe(
        _ selector: SeriesSelector, kinds: Set<EngineEvent.Kind> = Set(EngineEvent.Kind.allCases)
    ) -> EventStream {
        let queue = EventQueue(budget)
        let id = nextID.withLock { id in
            id += 1
            return id
        }
        watchers.withLock { $0[id] = Watcher(selector: selector, kinds: kinds, queue: queue) }
        return EventStream(queue) { [weak self] in _ = self?.watchers.withLock { $0.removeValue(forKey: id) } }
    }

    func publish(_ event: EngineEvent) {
        let published = EncodedOnce(event)
        // Not under the lock: a queue wakes its reader.
        for watcher in watchers.withLock({ $0 }).values where watcher.matches(event) {
            watcher.queue.put(published, bytes: event.size)
        }
    }

    func finish() {
        for watcher in watchers.withLock({ $0 }).values { watcher.queue.finish() }
    }
}
