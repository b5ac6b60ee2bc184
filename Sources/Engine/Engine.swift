import Basics
public import Forecasting
public import Storage
public import TimeSeries

/// The engine: one writer thread, some shard threads, and what may be asked of them.
///
/// Safe to use from any task. Everything that changes the database goes through the writer; everything that looks at a
/// running state goes through its shard; both answer in the order they were asked.
public final class Engine: Sendable {
    let store: Store
    let catalog: ModelCatalog
    let clock: SettledClock
    let directory: SeriesDirectory
    let watchers: Watchers
    let writer: Writer
    let shards: Shards
    let changes: ModelChanges
    private let counters: IngestCounters
    let modelCounters: ModelCounters
    private let faults: ForecastFaults
    let pendingWrites: PendingWrites
    private let threads: [OwnedThread]
    private let writerThread: OwnedThread
    private let notes: Locked<[String]>
    /// What the start found that a person should know.
    public var warnings: [String] { notes.withLock { $0 } }

    /// Recovers every series from `store` and starts the threads.
    ///
    /// Returns when the threads answer. A series that has much to replay catches up after that, while others are served;
    /// a question about it waits until it has.
    ///
    /// - Parameters:
    ///   - kernel: names the kernels that compute states; checkpoints of others are replayed, not trusted.
    ///   - onFatal: called once when nobody knows any more what is on disk; the process should end.
    ///   - onNotice: told what an operator wants to know, from any thread.
    public init(
        store: Store, methods: [any ForecastingMethod], configuration: EngineConfiguration, clock: any WallClock,
        kernel: String, onFatal: @escaping @Sendable (any Error) -> Void,
        onNotice: @escaping @Sendable (EngineNotice) -> Void = { _ in }
    ) async throws {
        let clock = SettledClock(clock, known: try store.clock().settled ?? .distantPast)
        let catalog = ModelCatalog(methods: methods, store: store)
        let recovered = try Recovery(
            store: store, catalog: catalog, configuration: configuration, kernel: kernel
        ).run()
        let (setups, obstacles) = (recovered.setups, recovered.obstacles)
        notes = Locked(recovered.warnings)
        let watchers = Watchers()
        let pendingWrites = PendingWrites()
        let faults = ForecastFaults { onNotice(.warning($0)) }
        modelCounters = ModelCounters(notify: onNotice)
        let shards = Shards(
            all: (0..<max(1, configuration.shardCount)).map { _ in
                Shard(
                    stepper: Stepper(), kernel: kernel, watchers: watchers, pendingWrites: pendingWrites,
                    faults: faults, clock: clock, anomalyRules: configuration.anomalyRules)
            })
        let directory = SeriesDirectory()
        let counters = IngestCounters()
        let writer = Writer(
            store: store, catalog: catalog, shards: shards, directory: directory, counters: counters,
            pendingWrites: pendingWrites, clock: clock, configuration: configuration, recovered: recovered,
            onFatal: onFatal, onNotice: onNotice)
        (self.store, self.catalog, self.clock) = (store, catalog, clock)
        (self.directory, self.watchers, self.counters) = (directory, watchers, counters)
        (self.writer, self.shards, self.faults, self.pendingWrites) = (writer, shards, faults, pendingWrites)
        changes = ModelChanges(store: store, catalog: catalog, shards: shards, writer: writer)
        // A sender waits for the writer; what the shards do comes after its acknowledgement.
        threads = try shards.all.enumerated().map { index, shard in
            try OwnedThread(name: "shard-\(index)", niceness: 10) { shard.run() }
        }
        for setup in setups { shards[setup.record.id].tell(.adopt([setup])) }
        writerThread = try OwnedThread(name: "writer") { writer.run() }
        do {
            let warnings = try await changes.adopt(configuration, obstacles: obstacles).warnings
            notes.withLock { $0 += warnings }
            try await heartbeat()
        } catch {
            // The threads run already, and hold the database.
            try? stop()
            throw error
        }
    }

    /// Returns once the writer and every shard have answered: what a watchdog is fed by.
    public func heartbeat() async throws {
        try await writer.run(Heartbeat())
        _ = try await shards.askAll { _ in true }
    }

    /// Commits what was taken in, stops the threads and closes the database.
    public func stop() throws {
        writer.mailbox.close()
        writerThread.join()
        for shard in shards.all { shard.mailbox.close() }
        for thread in threads { thread.join() }
        writer.finish()
        watchers.finish()
        try store.close()
    }

    // MARK: Ingest

    /// Commits `readings` and returns when they are on disk.
    ///
    /// - Parameter isUrgent: false for a source nobody waits on: its readings may wait for others.
    /// - Throws: ``EngineError/storageFull``, ``EngineError/stopping``; nothing was taken in then. Single readings that
    ///   are refused are in the receipt.
    public func ingest(_ readings: [IncomingReading], isUrgent: Bool = true) async throws -> IngestReceipt {
        let now = clock.now
        return try await writer.mailbox.call { reply in
            .ingest(IngestRequest(readings: readings, arrivedAt: now, isUrgent: isUrgent, completion: reply))
        }
    }

    /// Commits so far, and whether there is room.
    public var ingestCounts: IngestCounts { counters.current }
    /// Requests not yet committed.
    public var ingestBacklog: Int { writer.mailbox.backlog + counters.current.deferred }
    public var watcherCount: Int { watchers.count }
    /// Forecasts that were none since the start, by forecaster: their model gave numbers that are not finite.
    public var unusableForecasts: [String: Int] { faults.byForecaster }
    public var seriesCount: Int { directory.count }
    public var modelCounts: ModelCounts { modelCounters.current }

    // MARK: Questions

    /// The forecast of a series from its newest reading.
    public func forecast(of name: String) async throws -> SeriesForecast {
        let now = clock.now
        return try await answer(about: name) { $0.shownForecast(of: $1, now: now) }
    }

    /// What ``forecast(of:)`` would give, if it can be told at once: from the forecast cache, which holds those that were
    /// asked for before. Does not wait for a thread, a step or the disk.
    ///
    /// - Returns: nil if it cannot, also because there is no such series: ask.
    public func shownForecast(of name: String) -> EncodedOnce<SeriesForecast>? {
        directory.known(name).flatMap { shards[$0].forecastCache.read($0, now: clock.now) }
    }

    /// The forecast of a series from the slot of `time`: where no reading has come up to there, its newest state is stepped
    /// through the missing slots on a copy.
    public func forecast(of name: String, asOf time: Timestamp) async throws -> SeriesForecast {
        try await answer(about: name) { $0.forecast(of: $1, now: time, patience: 0) }
    }

    /// What each expert of a series' model forecasts from the slot of `time`, before mixing and calibration.
    public func experts(of name: String, asOf time: Timestamp) async throws -> [ExpertForecast] {
        try await answer(about: name) { $0.experts(of: $1, at: time) }
    }

    /// The running state of a series.
    public func state(of name: String) async throws -> SeriesStateReport {
        try await answer(about: name) { $0.state(of: $1) }
    }

    /// How many series are selected.
    public func count(_ selector: SeriesSelector) -> Int { directory.count(selector) }

    /// The selected series, by name.
    ///
    /// - Throws: `CancellationError`, before all shards were asked.
    public func series(_ selector: SeriesSelector) async throws -> [SeriesSummary] {
        let matching = directory.matching(selector)
        let summaries = try await shards.askEach(matching.map(\.id), areCurrent: false) { $0.summary(of: $1) }
        return matching.compactMap { summaries[$0.id] }
    }

    /// Forecasts, anomalies and model changes of the selected series from now on.
    ///
    /// A watcher who falls behind loses events and is told how many, see ``EngineEvent/lost(_:)``. All watchers of an event
    /// get the same one, so that it is encoded once.
    public func watch(
        _ selector: SeriesSelector, _ kinds: Set<EngineEvent.Kind> = Set(EngineEvent.Kind.allCases)
    ) -> EventStream { watchers.subscribe(selector, kinds: kinds) }

    // MARK: Plumbing

    /// What `question` finds once the series has stepped over everything that was committed before.
    ///
    /// - Throws: ``EngineError/unknownSeries(_:nearest:)``; where nothing is found, why.
    func answer<Answer: Sendable>(
        about name: String, _ question: @escaping @Sendable (ShardView, SeriesID) -> Answer?
    ) async throws -> Answer {
        let id = try await directory.id(of: name)
        let (found, summary, isAbsent, isAnswered) = try await shards[id].ask(about: [id]) { view in
            (question(view, id), view.summary(of: id), view.isAbsent(id), view.isAnswered(id))
        }
        if let found { return found }
        guard let summary, summary.forecaster != nil else { throw EngineError.noForecaster(series: name) }
        if isAbsent { throw EngineError.absent(series: name, method: summary.method ?? "") }
        if isAnswered, let forecaster = summary.forecaster {
            throw EngineError.notFinite(series: name, forecaster: forecaster, version: summary.version ?? 0)
        }
        throw EngineError.notReady(
            "\"\(name)\" has too few readings for a forecast: the cadence is inferred from the first 17, or declare it")
    }
}
