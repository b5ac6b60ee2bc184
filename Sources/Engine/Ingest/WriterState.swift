import Storage
import TimeSeries

/// What the writer thread works with: the database, the series it knows, and the shards it tells.
///
/// `@unchecked Sendable`: used by the writer's thread alone, handed to it once before it starts, and by the engine's stop
/// once it has ended.
final class WriterState: @unchecked Sendable {
    let store: Store
    let catalog: ModelCatalog
    let shards: [Shard]
    let directory: SeriesDirectory
    let counters: IngestCounters
    private let clock: SettledClock
    let pendingWrites: PendingWrites
    let seal: Seal
    private let onFatal: @Sendable (any Error) -> Void
    let onNotice: @Sendable (EngineNotice) -> Void

    var configuration: EngineConfiguration
    var entries: SeriesIndex
    private(set) var position: JournalPosition
    /// The first version of each forecaster to serve a new series.
    var firstVersions: [String: FirstVersion] = [:]
    /// The newest timestamp ever committed.
    private(set) var newestReading: Timestamp
    var expiry = Expiry()
    /// Whether a full disk has been reported and its end has not.
    private var hasReportedFull = false
    /// By the monotonic clock, in nanoseconds.
    private var reportedFullAt: Int64?
    /// Whether a jump of the clock has been told of, and no end of it.
    private var hasJumped = false
    /// When a settled time was stored last, by the monotonic clock; nil: not yet.
    private var settledTimeStored: Int64?

    /// How often a settled time is stored, in nanoseconds: it travels with a commit, and costs a page.
    private static let settledTimeInterval: Int64 = 600_000_000_000
    private static let fullReportInterval: Int64 = 60_000_000_000

    init(
        store: Store, catalog: ModelCatalog, shards: [Shard], directory: SeriesDirectory, counters: IngestCounters,
        pendingWrites: PendingWrites, clock: SettledClock, configuration: EngineConfiguration,
        recovered: consuming RecoveredSeries, onFatal: @escaping @Sendable (any Error) -> Void,
        onNotice: @escaping @Sendable (EngineNotice) -> Void
    ) {
        seal = Seal(store: store)
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
        for entry in entries.values { directory.add(entry.pointee.id, entry.pointee.key) }
    }

    var now: Timestamp { clock.now }
    var monotonic: Int64 { clock.monotonic }
    var clockTrust: SettledClock.Trust { clock.trust }
    var commitDelay: Int64 { configuration.commitDelay }

    func shard(of id: SeriesID) -> Shard { shards[place(of: id)] }

    private func place(of id: SeriesID) -> Int {
        shards.count == 1 ? 0 : Int(id.rawValue.magnitude % UInt64(shards.count))
    }

    func forget(_ ids: [SeriesID]) {
        guard !ids.isEmpty else { return }
        entries.remove(Set(ids))
        for id in ids { directory.remove(id) }
        for shard in shards {
            let mine = ids.filter { self.shard(of: $0) === shard }
            if !mine.isEmpty { shard.tell(.forget(mine)) }
        }
    }

    /// Commits `requests` together, tells the shards and answers.
    func commit(_ requests: [IngestRequest]) {
        let (outages, pendingBatch) = (pendingWrites.outages.takeAll(), pendingWrites.take(256))
        do {
            let look = lookAtClock()
            let settledTime = dueSettledTime(look)
            let committed = try CommitTransaction(
                writer: self, now: look.time, clockIsSet: look.trust != .unset, settledTime: settledTime
            ).run(requests, into: &entries, pendingBatch: pendingBatch, outages: outages)
            if settledTime != nil { settledTimeStored = monotonic }
            committed.admission.confirm(entries)
            pendingBatch.written()
            seal.confirm()
            position = committed.lastPosition
            newestReading = max(newestReading, committed.newest)
            deliver(committed)
            noteStorage(isFull: false)
            answer(requests, with: committed)
        } catch {
            pendingWrites.outages.put(outages)
            pendingBatch.putBack()
            fail(requests, error)
        }
    }

    /// A settled time of day that is worth storing.
    private func dueSettledTime(_ look: SettledClock.Look) -> Timestamp? {
        let isDue = settledTimeStored.map { monotonic - $0 >= Self.settledTimeInterval } ?? true
        return look.trust == .settled && isDue ? look.time : nil
    }

    /// Looks at the clock, and says what an operator should know of it.
    private func lookAtClock() -> SettledClock.Look {
        let look = clock.look()
        counters.update { $0.clockIsSet = look.trust != .unset }
        if let jump = look.jump, !hasJumped {
            onNotice(
                .warning(
                    "this machine's clock has jumped by \(jump / 1_000_000_000) s; time goes on as before until the new one "
                        + "has held for \(SettledClock.patience / 1_000_000_000) s"))
        } else if hasJumped, look.jump == nil {
            onNotice(.notice("this machine's clock is settled again; it is \(look.time.text)"))
        }
        hasJumped = look.jump != nil
        return look
    }

    private func deliver(_ committed: CommitTransaction.Committed) {
        for setup in committed.births {
            directory.add(setup.record.id, setup.record.key)
            expiry.noteBirth()
            shard(of: setup.record.id).tell(.adopt([setup]))
        }
        let readings = committed.admission.readings
        var parts: [[PositionedReading]] = Array(repeating: [], count: shards.count)
        for part in parts.indices { parts[part].reserveCapacity(readings.count / shards.count) }
        for (offset, reading) in readings.enumerated() {
            parts[place(of: reading.series)].append(
                PositionedReading(reading: reading, position: committed.firstPosition + JournalPosition(offset)))
        }
        for place in committed.admission.settled {
            let entry = entries.values[place]
            guard let cadence = entry.pointee.cadence else { continue }
            let (id, latenessSlots) = (entry.pointee.id, entry.pointee.latenessSlots ?? 1)
            shard(of: id).tell(.setCadence(id, cadence, latenessSlots: latenessSlots))
        }
        for (shard, part) in zip(shards, parts) where !part.isEmpty { shard.tell(.commit(part)) }
    }

    private func answer(_ requests: [IngestRequest], with committed: CommitTransaction.Committed) {
        counters.update { counts in
            counts.commits += 1
            for receipt in committed.receipts {
                counts.accepted += receipt.accepted
                counts.late += receipt.late
                for refusal in receipt.refusals { counts.refused[refusal.reason, default: 0] += 1 }
            }
        }
        for (request, receipt) in zip(requests, committed.receipts) { request.completion(.success(receipt)) }
    }

    private func noteStorage(isFull: Bool) {
        counters.update { $0.storageFull = isFull }
        guard isFull != hasReportedFull else { return }
        if isFull {
            // On a disk that is nearly full, small commits succeed between large ones that fail.
            if let reportedFullAt, monotonic - reportedFullAt < Self.fullReportInterval { return }
            reportedFullAt = monotonic
            onNotice(.warning("the disk is full: readings are refused until there is room again"))
        } else {
            onNotice(.notice("there is room on the disk again: readings are accepted"))
        }
        hasReportedFull = isFull
    }

    private func fail(_ requests: [IngestRequest], _ error: any Error) {
        let isFull = (error as? StorageError).map { if case .diskFull = $0 { true } else { false } } ?? false
        if isFull { noteStorage(isFull: true) }
        for request in requests { request.completion(.failure(isFull ? EngineError.storageFull : error)) }
        // After a failed sync nobody knows what is on disk; only a fresh start, which reads it again, does.
        if !isFull { onFatal(error) }
    }
}
