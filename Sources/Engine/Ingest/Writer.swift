import Basics
import Storage
import TimeSeries

/// The only thread that writes to the database, and the state that it owns.
///
/// It commits the queued requests in one synced transaction, delivers the readings to the shards, and only then
/// acknowledges.
///
/// `@unchecked Sendable`: everything but `mailbox` is used only by the engine's init before the worker starts, then by
/// the thread that takes its steps, and after that by the thread that calls ``finish()``.
final class Writer: Worker, @unchecked Sendable {
    let mailbox = Mailbox<WriterMessage>(capacity: 1_024)
    let store: Store
    let catalog: ModelCatalog
    let shards: Shards
    let directory: SeriesDirectory
    let counters: IngestCounters
    let pendingWrites: PendingWrites
    let onFatal: @Sendable (any Error) -> Void
    let onNotice: @Sendable (EngineNotice) -> Void

    var configuration: EngineConfiguration
    /// The version that serves a new series first, by forecaster.
    var firstVersions: [String: FirstVersion] = [:]
    var entries: SeriesIndex
    /// The position of the newest committed reading.
    var position: JournalPosition
    /// The newest timestamp ever committed.
    var newestReading: Timestamp
    let seal: Seal
    var expiry = Expiry()
    /// The number of changes of models that are planned and neither committed nor cancelled.
    var plannedChanges = 0

    private let clock: SettledClock
    var clockReport: ClockReport
    var fullDiskReport = FullDiskReport()
    private var batcher = RequestBatcher()
    /// How many requests the next commit waits for: as many as arrived recently, one fewer after each smaller commit.
    ///
    /// A commit costs a sync and three pages besides its readings, so a short wait under load saves writes; a single
    /// sender is not kept waiting.
    private var batchTarget = Mailbox<WriterMessage>.BatchTarget()

    /// The maximum wait for a batch to reach its target, in nanoseconds; the wait is the duration of the last commit if
    /// that is shorter.
    private static let maximumLinger: Int64 = 3_000_000
    /// How long checkpoints may wait for a commit to be written with, in nanoseconds.
    private static let idle: Int64 = 1_000_000_000

    init(
        store: Store, catalog: ModelCatalog, shards: Shards, directory: SeriesDirectory, counters: IngestCounters,
        pendingWrites: PendingWrites, clock: SettledClock, configuration: EngineConfiguration,
        recovered: consuming RecoveredSeries, runtime: any Runtime, onFatal: @escaping @Sendable (any Error) -> Void,
        onNotice: @escaping @Sendable (EngineNotice) -> Void
    ) {
        seal = Seal(store: store, clock: clock, runtime: runtime)
        clockReport = ClockReport(clock: clock)
        self.store = store
        self.catalog = catalog
        self.shards = shards
        self.directory = directory
        self.counters = counters
        self.pendingWrites = pendingWrites
        self.clock = clock
        self.configuration = configuration
        self.onFatal = onFatal
        self.onNotice = onNotice
        position = recovered.position
        newestReading = recovered.newestReading
        entries = recovered.entries
        for entry in entries.values { directory.add(entry.id, entry.key) }
    }

    var now: Timestamp { clock.now }
    /// In nanoseconds.
    var monotonic: Int64 { clock.monotonic }
    var clockTrust: SettledClock.Trust { clock.trust }

    var isIdle: Bool { mailbox.backlog == 0 && !seal.hasWork && pendingWrites.isEmpty }

    /// Handles the waiting messages, and goes on with what nobody waits for.
    ///
    /// - Returns: false once the mailbox is closed and empty.
    func step(mayWait: Bool) -> Bool {
        guard
            let messages = mailbox.receive(
                limit: 1_024, timeout: mayWait ? receiveTimeout : 0, batchTarget: mayWait ? batchTarget : .init())
        else {
            commitAll([])
            seal.stop()
            return false
        }
        var requests: [IngestRequest] = []
        for message in messages {
            switch message {
            case .ingest(let request): requests.append(request)
            case .command(let run):
                commitAll(requests)
                requests = []
                run(self)
            }
        }
        let start = monotonic
        commit(batcher.add(requests, now: now, delay: configuration.commitDelay))
        setBatchTarget(after: requests, nanoseconds: monotonic - start)
        if messages.isEmpty { writePending() }
        // A chunk keeps the late readings that the current epoch needs; those of a planned one are not known to it yet.
        if plannedChanges == 0 || PlantedBug.sealDuringChange.isActive {
            seal.begin(through: position, limit: configuration.sealAfter)
        }
        expiry.step(at: self)
        return true
    }

    /// Writes what the shards have left.
    ///
    /// Call it after the writer has ended and the shards have stepped over its last commit.
    func finish() {
        writePending(all: true)
        seal.join()
    }

    /// Runs a transaction; everything that the engine writes goes through here.
    ///
    /// After a failed write or sync, what is on disk is unknown until a restart reads it again: trying once more could
    /// tear more of the log than a crash does.
    func write<T>(_ body: (WriteTransaction) throws -> T) throws -> T {
        do {
            return try store.write(body)
        } catch let error as StorageError {
            if error.leavesDiskUnknown, !PlantedBug.swallowedWriteError.isActive { onFatal(error) }
            throw error
        }
    }

    /// Removes series from the writer and from their shards.
    func forget(_ ids: [SeriesID]) {
        guard !ids.isEmpty else { return }
        entries.remove(Set(ids))
        for id in ids { directory.remove(id) }
        shards.tell(about: ids) { .forget($0) }
    }

    private func commit(_ groups: [[IngestRequest]]) {
        let count = batcher.deferred.count
        counters.update { $0.deferred = count }
        for group in groups { commit(group) }
    }

    /// Commits the deferred requests and `requests`, even if they may wait.
    private func commitAll(_ requests: [IngestRequest]) {
        let groups = batcher.add(requests, now: now, delay: configuration.commitDelay)
        commit(groups + batcher.flush())
    }

    /// - Parameter nanoseconds: the duration of their commit.
    private func setBatchTarget(after requests: [IngestRequest], nanoseconds: Int64) {
        let expected = requests.isEmpty ? 1 : max(requests.count + mailbox.backlog, batchTarget.count - 1)
        batchTarget = .init(count: expected, nanoseconds: min(nanoseconds, Self.maximumLinger))
    }

    private var receiveTimeout: Int64 {
        let idle = min(Self.idle, seal.waitLimit ?? Self.idle)
        return min(idle, batcher.waitLimit(now: now, delay: configuration.commitDelay) ?? idle)
    }
}
