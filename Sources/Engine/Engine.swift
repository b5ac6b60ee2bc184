import Basics
public import Forecasting
public import Storage
public import TimeSeries

/// The forecasting engine: one writer thread, several shard threads, and the operations on them.
///
/// Safe to use from any task. Every change of the database goes through the writer, every access to a running state
/// through its shard; both handle requests in order.
public final class Engine: Sendable {
    let store: Store
    let catalog: ModelCatalog
    package let clock: SettledClock
    let directory: SeriesDirectory
    let watchers: Watchers
    let writer: Writer
    let shards: Shards
    let changes: ModelChanges
    private let counters: IngestCounters
    let modelCounters: ModelCounters
    private let faults: ForecastFaults
    let pendingWrites: PendingWrites
    let runtime: any Runtime
    private let shardWorkers: [any RunningWorker]
    private let writerWorker: any RunningWorker
    private let startWarnings: Locked<[String]>
    /// Problems found at the start that an operator should know about.
    public var warnings: [String] { startWarnings.withLock { $0 } }

    /// Recovers every series from `store` and starts the threads.
    ///
    /// Returns once the threads respond. A series with a long replay catches up afterwards, while others are served;
    /// requests for it wait until it has.
    ///
    /// - Parameters:
    ///   - kernel: identifies the compute kernels; a checkpoint written by other kernels is not used, its series is
    ///     replayed.
    ///   - onFatal: called when a write has failed and the state on disk is unknown, perhaps more than once; the process
    ///     should exit at the first call.
    ///   - onNotice: called with each message for the operator, on any thread.
    public convenience init(
        store: Store, methods: [any ForecastingMethod], configuration: EngineConfiguration, clock: any WallClock,
        kernel: String, onFatal: @escaping @Sendable (any Error) -> Void,
        onNotice: @escaping @Sendable (EngineNotice) -> Void = { _ in }
    ) async throws {
        try await self.init(
            store: store, methods: methods, configuration: configuration, clock: clock, kernel: kernel,
            runtime: ThreadRuntime(), onFatal: onFatal, onNotice: onNotice)
    }

    /// - Parameter runtime: drives the engine's parts.
    package init(
        store: Store, methods: [any ForecastingMethod], configuration: EngineConfiguration, clock: any WallClock,
        kernel: String, runtime: any Runtime, onFatal: @escaping @Sendable (any Error) -> Void,
        onNotice: @escaping @Sendable (EngineNotice) -> Void = { _ in }
    ) async throws {
        let clock = SettledClock(clock, lastStored: try store.clock().settled ?? .distantPast)
        let catalog = ModelCatalog(methods: methods, store: store)
        let recovered = try await runtime.apart {
            Handover(
                try Recovery(store: store, catalog: catalog, configuration: configuration, kernel: kernel).run())
        }.take()
        let (setups, obstacles) = (recovered.setups, recovered.obstacles)
        startWarnings = Locked(recovered.warnings)
        let watchers = Watchers(memory: configuration.watcherMemory)
        let pendingWrites = PendingWrites()
        let faults = ForecastFaults { onNotice(.warning($0)) }
        modelCounters = ModelCounters(notify: onNotice)
        let shards = Shards(
            all: (0..<max(1, configuration.shardCount)).map { _ in
                Shard(
                    stepper: Stepper(), kernel: kernel, watchers: watchers, pendingWrites: pendingWrites,
                    faults: faults, clock: clock, runtime: runtime, anomalyRules: configuration.anomalyRules)
            })
        let directory = SeriesDirectory(runtime: runtime)
        let counters = IngestCounters()
        let writer = Writer(
            store: store, catalog: catalog, shards: shards, directory: directory, counters: counters,
            pendingWrites: pendingWrites, clock: clock, configuration: configuration, recovered: recovered,
            runtime: runtime, onFatal: onFatal, onNotice: onNotice)
        (self.store, self.catalog, self.clock) = (store, catalog, clock)
        (self.directory, self.watchers, self.counters) = (directory, watchers, counters)
        (self.writer, self.shards, self.faults, self.pendingWrites) = (writer, shards, faults, pendingWrites)
        self.runtime = runtime
        changes = ModelChanges(store: store, catalog: catalog, shards: shards, writer: writer, runtime: runtime)
        // Senders wait for the writer; the shards work after the acknowledgement, so they get a lower priority.
        shardWorkers = try shards.all.enumerated().map { index, shard in
            try runtime.start(shard, name: "shard-\(index)", niceness: 10)
        }
        for setup in setups { shards[setup.record.id].tell(.adopt([setup])) }
        writerWorker = try runtime.start(writer, name: "writer", niceness: 0)
        do {
            let warnings = try await changes.adopt(configuration, obstacles: obstacles).warnings
            startWarnings.withLock { $0 += warnings }
            try await heartbeat()
        } catch {
            // The threads are already running and use the database.
            try? stop()
            throw error
        }
    }

    /// Returns once the writer and every shard have responded; feeds the watchdog.
    public func heartbeat() async throws {
        try await writer.run(Heartbeat())
        _ = try await shards.askAll { _ in true }
    }

    /// Commits all queued requests, stops the threads and closes the database.
    public func stop() throws {
        writer.mailbox.close()
        writerWorker.join()
        for shard in shards.all { shard.mailbox.close() }
        for worker in shardWorkers { worker.join() }
        writer.finish()
        watchers.finish()
        try store.close()
    }

    // MARK: Ingest

    /// Commits `readings` and returns when they are on disk.
    ///
    /// - Parameter isUrgent: false for a source whose sender does not wait: its readings may wait to share a commit.
    /// - Throws: ``EngineError/storageFull``, ``EngineError/stopping``; no reading is stored then. The receipt lists
    ///   readings that were refused individually.
    public func ingest(_ readings: [IncomingReading], isUrgent: Bool = true) async throws -> IngestReceipt {
        let now = clock.now
        return try await writer.mailbox.call { reply in
            .ingest(IngestRequest(readings: readings, arrivedAt: now, isUrgent: isUrgent, completion: reply))
        }
    }

    /// Ingest counters since the start, and whether the disk is full.
    public var ingestCounts: IngestCounts { counters.current }
    /// Requests not yet committed.
    public var ingestBacklog: Int { writer.mailbox.backlog + counters.current.deferred }
    public var watcherCount: Int { watchers.count }
    /// Unusable forecasts since the start, by forecaster: their values were not finite or beyond 1e30.
    public var unusableForecasts: [String: Int] { faults.byForecaster }
    public var seriesCount: Int { directory.count }
    public var modelCounts: ModelCounts { modelCounters.current }

    // MARK: Questions

    /// The forecast of a series from its newest reading.
    public func forecast(of name: String) async throws -> SeriesForecast {
        let now = clock.now
        return try await answer(about: name) { $0.forecastAndCache(of: $1, now: now) }
    }

    /// The result of ``forecast(of:)`` if the forecast cache has it.
    ///
    /// The cache holds forecasts that were requested before. Does not wait for a thread, a step or the disk.
    ///
    /// - Returns: nil on a cache miss or for an unknown series; call ``forecast(of:)`` then.
    public func cachedForecast(of name: String) -> EncodedOnce<SeriesForecast>? {
        directory.find(name).flatMap { shards[$0].forecastCache.read($0, now: clock.now) }
    }

    /// The forecast of a series from the slot of `time`.
    ///
    /// If the readings end before `time`, a copy of the newest state is stepped through the missing slots.
    public func forecast(of name: String, asOf time: Timestamp) async throws -> SeriesForecast {
        try await answer(about: name) { $0.forecast(of: $1, now: time, staleAfter: 0) }
    }

    /// What each expert of a series' model forecasts from the slot of `time`, before mixing and calibration.
    public func experts(of name: String, asOf time: Timestamp) async throws -> [ExpertForecast] {
        try await answer(about: name) { $0.experts(of: $1, at: time) }
    }

    /// The running state of a series.
    public func state(of name: String) async throws -> SeriesStateReport {
        try await answer(about: name) { $0.state(of: $1) }
    }

    /// The number of selected series.
    public func count(_ selector: SeriesSelector) -> Int { directory.count(selector) }

    /// The selected series, by name.
    ///
    /// - Throws: `CancellationError` between two requests to the shards.
    public func series(_ selector: SeriesSelector) async throws -> [SeriesSummary] {
        let matching = directory.matching(selector)
        let summaries = try await shards.askEach(matching.map(\.id), areCurrent: false) { $0.summary(of: $1) }
        return matching.compactMap { summaries[$0.id] }
    }

    /// Forecasts, anomalies and model changes of the selected series from now on.
    ///
    /// A watcher that falls behind loses events and receives their number, see ``EngineEvent/lost(_:)``. All watchers
    /// share one event object, so that it is encoded once.
    public func watch(
        _ selector: SeriesSelector, _ kinds: Set<EngineEvent.Kind> = Set(EngineEvent.Kind.allCases)
    ) -> EventStream { watchers.subscribe(selector, kinds: kinds) }

    // MARK: Plumbing

    /// Runs `question` once the series has stepped over everything that was committed before.
    ///
    /// - Throws: ``EngineError/unknownSeries(_:nearest:)``; if `question` returns nil, the error that explains why.
    func answer<Answer: Sendable>(
        about name: String, _ question: @escaping @Sendable (ShardView, SeriesID) -> Answer?
    ) async throws -> Answer {
        let id = try await directory.id(of: name)
        let (result, summary, isAbsent, isAnswered) = try await shards[id].ask(about: [id]) { view in
            (question(view, id), view.summary(of: id), view.isAbsent(id), view.isAnswered(id))
        }
        if let result { return result }
        guard let summary, summary.forecaster != nil else { throw EngineError.noForecaster(series: name) }
        if isAbsent { throw EngineError.absent(series: name, method: summary.method ?? "") }
        if isAnswered, let forecaster = summary.forecaster {
            throw EngineError.notFinite(series: name, forecaster: forecaster, version: summary.version ?? 0)
        }
        throw EngineError.notReady(
            "\"\(name)\" has too few readings for a forecast: the cadence is inferred from the first 17, or declare it")
    }
}
