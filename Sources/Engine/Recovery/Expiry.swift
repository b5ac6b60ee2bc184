import Basics
import Storage
import TimeSeries

/// Removes readings past their retention and series that have fallen silent, with safeguards against a wrong clock.
///
/// Nothing is removed unless the clock has agreed with the monotonic clock for ten minutes, and age is measured against
/// the newest reading if that is earlier than the clock. Removal is announced first. What a wrong clock could still
/// remove is bounded: per hour two hours of a series' history, once a day two days or a twentieth of it; of silent
/// series per day a twentieth of all series, plus as many as were created. ``confirm(at:)`` lifts the bounds for what
/// is due at that time. docs/decisions/0016 gives the reasons.
///
/// Owned by the writer's thread.
struct Expiry {
    private enum Phase {
        /// Until this monotonic time, in nanoseconds.
        case idle(until: Int64)
        /// The series before this index are still to be examined.
        case scanning(before: Int, ExpiredCounts)
        /// Announced; removal begins at this monotonic time, in nanoseconds.
        case waiting(until: Int64)
        case removing(before: Int)
        /// The journal is sealed first; removal goes on after that.
        case sealing
    }

    /// The number of series with something to remove.
    private struct ExpiredCounts {
        /// Series with readings past their retention.
        var retention = 0
        /// Series that have been silent for too long.
        var silent = 0
    }

    private var phase = Phase.idle(until: .min)
    /// The reference time of the current pass.
    private var referenceTime = Timestamp.distantPast
    /// What expires by this time has been announced.
    private var announcedThrough = Timestamp.distantPast
    /// Whether the current pass may remove a daily share.
    private var isDaily = false
    /// Whether the journal was sealed in the current pass.
    private var hasSealed = false
    /// What has expired by this time may be removed at once.
    private var confirmedTime = Timestamp.distantPast
    /// The number of silent series that may be removed without confirmation.
    private var removalQuota = 0

    private static let second: Int64 = 1_000_000_000
    private static let hour = 3_600 * second
    private static let day = 24 * hour
    /// The time between the announcement and the first removal, in nanoseconds.
    private static let noticePeriod = 60 * second
    private static let seriesPerStep = 256

    /// Notes a new series: in the long run as many may be removed.
    mutating func recordCreation() { removalQuota += 1 }

    /// Allows everything that is due now to be removed at once.
    ///
    /// - Returns: the reference time of the expiry.
    mutating func confirm(at writer: Writer) -> Timestamp {
        confirmedTime = Self.referenceTime(writer)
        hasSealed = false
        phase = .scanning(before: writer.entries.count, ExpiredCounts())
        referenceTime = confirmedTime
        return confirmedTime
    }

    private static func referenceTime(_ writer: Writer) -> Timestamp {
        PlantedBug.hastyExpiry.isActive ? writer.now : min(writer.now, writer.newestReading)
    }

    /// Takes the next step if one is due: at most ``seriesPerStep`` series.
    mutating func step(at writer: Writer) {
        let monotonic = writer.monotonic
        switch phase {
        case .idle(let end):
            guard monotonic >= end, writer.clockTrust == .settled || PlantedBug.hastyExpiry.isActive else { return }
            begin(writer)
        case .scanning(let end, let counts): scan(writer, before: end, counts)
        case .waiting(let end): if monotonic >= end { phase = .removing(before: writer.entries.count) }
        case .removing(let end): remove(writer, before: end)
        case .sealing: if writer.seal.isIdle { phase = .removing(before: writer.entries.count) }
        }
    }

    private mutating func begin(_ writer: Writer) {
        referenceTime = Self.referenceTime(writer)
        hasSealed = false
        let last = (try? writer.store.clock())?.expired
        // A time in the future was stored by a clock that was ahead.
        isDaily = last.map { referenceTime.nanoseconds(since: $0) >= Self.day } ?? false
        if isDaily || last == nil || last.map({ $0 > referenceTime }) ?? false {
            let time = referenceTime
            try? writer.write { try $0.setExpiryTime(time) }
        }
        if isDaily { removalQuota = max(1, writer.entries.count / 20) }
        phase = .scanning(before: writer.entries.count, ExpiredCounts())
    }

    private mutating func scan(_ writer: Writer, before end: Int, _ earlier: ExpiredCounts) {
        let batch = writer.entries.values.prefix(end).suffix(Self.seriesPerStep)
        var counts = earlier
        counts.retention += batch.count { entry in
            writer.expiryLimit(of: entry.key, at: referenceTime).map { limit in
                (try? writer.store.oldestChunk(of: entry.id)).flatMap { $0 }.map { $0.newest < limit } ?? false
            } ?? false
        }
        recordArrivals(batch, writer)
        counts.silent += silent(batch, writer).count
        guard batch.startIndex == 0 else { return phase = .scanning(before: batch.startIndex, counts) }
        guard
            counts.retention > 0 || writer.configuration.silentSeriesTTL != nil
                || writer.journalLimit(at: referenceTime) != nil
        else { return becomeIdle(writer) }
        announce(counts, writer)
    }

    /// Announces the removals of the coming day, once a day.
    private mutating func announce(_ counts: ExpiredCounts, _ writer: Writer) {
        guard referenceTime > announcedThrough, referenceTime != confirmedTime else {
            return phase = .removing(before: writer.entries.count)
        }
        announcedThrough = referenceTime.advanced(byNanoseconds: Self.day)
        let start = "from \(Self.noticePeriod / Self.second) s from now on"
        if counts.retention > 0 {
            writer.onNotice(
                .notice(
                    "retention: \(start), readings past their retention on \(announcedThrough.text) are removed; "
                        + "\(counts.retention) series have some now"))
        }
        if counts.silent > 0, let timeToLive = writer.configuration.silentSeriesTTL {
            let limit = announcedThrough.advanced(byNanoseconds: -timeToLive)
            writer.onNotice(
                .notice(
                    "silent_series_ttl: \(start), series that were silent since before \(limit.text) are forgotten; "
                        + "\(counts.silent) have been silent for so long now"))
        }
        phase = .waiting(until: writer.monotonic + Self.noticePeriod)
    }

    private mutating func becomeIdle(_ writer: Writer) {
        phase = .idle(until: writer.monotonic + Self.hour)
    }

    private mutating func remove(_ writer: Writer, before end: Int) {
        // From the end, because removing series shifts those after them.
        let batch = writer.entries.values.prefix(end).suffix(Self.seriesPerStep)
        // A planned change has read what it needs, and a restart has to find the same.
        guard writer.plannedChanges == 0 else { return }
        let (limits, share) = (limits(of: batch, writer), share)
        if end == writer.entries.count, !removeJournal(writer), !hasSealed {
            // One that is under way does not reach to the end of the journal.
            if writer.seal.isIdle {
                hasSealed = true
                writer.seal.begin(through: writer.position, limit: 1)
            }
            return phase = .sealing
        }
        if !limits.isEmpty {
            Place.chunksExpired.reached()
            try? writer.write { transaction in
                for (id, limit) in limits { try transaction.expire(id, before: limit, share) }
            }
        }
        forgetSilent(batch, writer)
        guard batch.startIndex == 0 else { return phase = .removing(before: batch.startIndex) }
        becomeIdle(writer)
    }

    /// What may be removed in the current pass.
    private var share: ExpiryShare {
        confirmedTime == referenceTime ? .all : isDaily ? .daily(referenceTime.seconds / 86_400) : .hourly
    }

    /// Until when the readings of each series may be removed; those without any to remove are left out.
    private func limits(of batch: ArraySlice<EntryHandle>, _ writer: Writer) -> [(SeriesID, Timestamp)] {
        guard let needed = try? NeededReadings(store: writer.store, catalog: writer.catalog) else { return [] }
        return batch.compactMap { entry in
            guard let limit = writer.expiryLimit(of: entry.key, at: referenceTime),
                let oldest = (try? writer.store.oldestChunk(of: entry.id)).flatMap({ $0 }), oldest.newest < limit,
                let oldestNeeded = try? needed.oldest(
                    of: entry.id, entry.cadence, frontier: entry.frontier, lateness: entry.latenessSlots)
            else { return nil }
            return (entry.id, PlantedBug.neededReadingsExpire.isActive ? limit : min(limit, oldestNeeded))
        }
    }

    /// A journal row holds readings of many series, so the longest retention counts.
    ///
    /// - Returns: false if readings that have expired lie behind one that has to stay: once they are sealed, they can be
    ///   removed series by series.
    private func removeJournal(_ writer: Writer) -> Bool {
        guard let limit = writer.journalLimit(at: referenceTime),
            let (end, isBlocked) = try? lastRemovable(before: limit, writer)
        else { return true }
        let share = share
        try? writer.write { try $0.expireJournal(before: limit, through: end, share) }
        return !isBlocked
    }

    /// The position up to which the journal holds only readings from before `limit` that may be removed, and whether one
    /// that has to stay comes after it.
    private func lastRemovable(
        before limit: Timestamp, _ writer: Writer
    ) throws -> (end: JournalPosition, isBlocked: Bool) {
        let needed = try NeededReadings(store: writer.store, catalog: writer.catalog)
        let entries = Dictionary(keepingFirst: writer.entries.values.map { ($0.id, $0) })
        var oldest: [SeriesID: Timestamp] = [:]
        var end: JournalPosition = 0
        var isBlocked = false
        try writer.store.scanJournal { entry in
            guard entry.readings.allSatisfy({ $0.timestamp < limit }) else { return false }
            for reading in entry.readings {
                guard let entry = entries[reading.series] else { continue }
                let time = try oldest[entry.id] ?? firstNotRemovable(entry, needed, writer)
                oldest[entry.id] = time
                isBlocked = isBlocked || reading.timestamp >= time
            }
            if !isBlocked { end = entry.firstPosition + JournalPosition(entry.readings.count) - 1 }
            return !isBlocked
        }
        if isBlocked { Place.journalBlocked.reached() }
        if end > 0 { Place.journalExpired.reached() }
        return (end, isBlocked)
    }

    /// The first time at which a reading of a series has to stay in the journal: where a replay needs it, or a chunk may
    /// hold an earlier value for the same time, which would count again.
    private func firstNotRemovable(
        _ entry: EntryHandle, _ needed: NeededReadings, _ writer: Writer
    ) throws -> Timestamp {
        if PlantedBug.neededReadingsExpire.isActive { return .distantFuture }
        var sealed = try writer.store.oldestChunk(of: entry.id)?.start ?? .distantFuture
        if PlantedBug.expiredCorrection.isActive { sealed = .distantFuture }
        return min(
            sealed,
            try needed.oldest(
                of: entry.id, entry.cadence, frontier: entry.frontier, lateness: entry.latenessSlots))
    }

    // MARK: Silence

    /// Stores an arrival for series that have none yet: their silence is counted from now; and for those that have had
    /// readings since a stored one that lies in the future, by a clock that was ahead.
    private func recordArrivals(_ batch: ArraySlice<EntryHandle>, _ writer: Writer) {
        guard writer.configuration.silentSeriesTTL != nil else { return }
        let now = writer.now
        let updated = batch.filter { entry in entry.lastArrival.map { entry.hasNewArrival && $0 > now } ?? true }
        guard !updated.isEmpty,
            (try? writer.write { try $0.setLastArrivals(updated.map { ($0.id, now) }) }) != nil
        else { return }
        for entry in updated { entry.recordArrival(at: now) }
    }

    private func silent(_ batch: ArraySlice<EntryHandle>, _ writer: Writer) -> [EntryHandle] {
        guard let timeToLive = writer.configuration.silentSeriesTTL else { return [] }
        let oldest = referenceTime.advanced(byNanoseconds: -timeToLive)
        if PlantedBug.silenceByEventTime.isActive {
            return batch.filter { entry in
                guard let cadence = entry.cadence, let frontier = entry.frontier else { return false }
                return cadence.start(of: frontier) < oldest
            }
        }
        return batch.filter { entry in
            !entry.hasNewArrival && entry.lastArrival.map { $0 < oldest } ?? false
        }
    }

    private mutating func forgetSilent(_ batch: ArraySlice<EntryHandle>, _ writer: Writer) {
        let all = silent(batch, writer)
        let silent = confirmedTime == referenceTime ? all : Array(all.prefix(removalQuota))
        guard !silent.isEmpty, let timeToLive = writer.configuration.silentSeriesTTL else { return }
        let oldest = referenceTime.advanced(byNanoseconds: -timeToLive)
        let (ids, names) = (silent.map { $0.id }, silent.prefix(3).map { "\($0.key)" })
        writer.onNotice(
            .notice(
                "silent_series_ttl: forgetting \(ids.count) series that were silent since before \(oldest.text), such as "
                    + names.joined(separator: "; ")))
        guard (try? writer.write { try $0.deleteSeries(Set(ids)) }) != nil else { return }
        removalQuota = max(0, removalQuota - ids.count)
        writer.forget(ids)
        writer.counters.update { $0.expiredSeries += ids.count }
    }
}

extension Writer {
    /// The instant before which readings of a series have expired at `time`; nil: they never expire.
    fileprivate func expiryLimit(of key: SeriesKey, at time: Timestamp) -> Timestamp? {
        (configuration.rule(for: key).retention ?? configuration.retention).map { time.advanced(byNanoseconds: -$0) }
    }

    /// The instant before which the readings of all series have expired at `time`; nil if those of some series never
    /// expire.
    fileprivate func journalLimit(at time: Timestamp) -> Timestamp? {
        let limits = entries.values.map { expiryLimit(of: $0.key, at: time) }
        return limits.isEmpty || limits.contains(nil) ? nil : limits.compactMap { $0 }.min()
    }
}
