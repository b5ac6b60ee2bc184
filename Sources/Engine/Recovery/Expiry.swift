import Storage
import TimeSeries

/// Removes readings past their retention and series that fell silent for good, by evidence and not by a look at the clock.
///
/// Nothing is removed unless the clock has agreed with the monotonic clock for ten minutes, and nothing by a later time than
/// that of the newest reading. Removal is announced first. What a wrong clock could still remove is bounded: in an hour two
/// hours of a series' history, once a day two days or a twentieth of it; of silent series a twentieth a day, and as many as
/// were born. ``confirm(at:)`` lifts the bounds for what is due then.
/// docs/decisions/0016 says why.
///
/// Owned by the writer's thread.
struct Expiry {
    private enum Phase {
        /// Until this monotonic time.
        case resting(until: Int64)
        /// Series before this place are still to be looked at.
        case surveying(before: Int, Due)
        /// Announced; removal begins at this monotonic time.
        case waiting(until: Int64)
        case removing(before: Int)
    }

    /// How many series a survey has found to have something to remove.
    private struct Due {
        /// Readings past their retention.
        var retention = 0
        /// Silent for too long.
        var silent = 0
    }

    private var phase = Phase.resting(until: .min)
    /// The time that the pass under way goes by.
    private var evidence = Timestamp.distantPast
    /// What is older than its limit at this time has been announced.
    private var announced = Timestamp.distantPast
    /// Whether this pass may remove a day's share.
    private var isDaily = false
    /// What is due at this time may be removed at once.
    private var confirmed = Timestamp.distantPast
    /// Silent series that may be forgotten unconfirmed.
    private var forgettable = 0

    private static let second: Int64 = 1_000_000_000
    private static let hour = 3_600 * second
    private static let day = 24 * hour
    /// Between the announcement and the first removal.
    private static let notice = 60 * second
    private static let seriesPerStep = 256

    /// A series was born: in the long run as many may be forgotten.
    mutating func noteBirth() { forgettable += 1 }

    /// Lets what is due now be removed at once.
    mutating func confirm(at writer: Writer) -> Timestamp {
        confirmed = Self.evidence(writer)
        phase = .surveying(before: writer.entries.count, Due())
        evidence = confirmed
        return confirmed
    }

    private static func evidence(_ writer: Writer) -> Timestamp { min(writer.now, writer.newestReading) }

    /// Takes the next step, if one is due: some series at most.
    mutating func step(at writer: Writer) {
        let monotonic = writer.monotonic
        switch phase {
        case .resting(let end):
            guard monotonic >= end, writer.clockTrust == .settled else { return }
            begin(writer)
        case .surveying(let end, let due): survey(writer, before: end, due)
        case .waiting(let end): if monotonic >= end { phase = .removing(before: writer.entries.count) }
        case .removing(let end): remove(writer, before: end)
        }
    }

    private mutating func begin(_ writer: Writer) {
        evidence = Self.evidence(writer)
        let last = (try? writer.store.clock())?.expired
        // One from the future is left from a clock that was ahead.
        isDaily = last.map { evidence.nanoseconds(since: $0) >= Self.day } ?? false
        if isDaily || last == nil || last.map({ $0 > evidence }) ?? false {
            let time = evidence
            try? writer.store.write { try $0.setExpiryTime(time) }
        }
        if isDaily { forgettable = max(1, writer.entries.count / 20) }
        phase = .surveying(before: writer.entries.count, Due())
    }

    private mutating func survey(_ writer: Writer, before end: Int, _ found: Due) {
        let some = writer.entries.values.prefix(end).suffix(Self.seriesPerStep)
        var due = found
        due.retention += some.count { entry in
            writer.expiryLimit(of: entry.key, at: evidence).map { limit in
                (try? writer.store.oldestChunk(of: entry.id)).flatMap { $0 }.map { $0.newest < limit } ?? false
            } ?? false
        }
        noteHeard(some, writer)
        due.silent += silent(some, writer).count
        guard some.startIndex == 0 else { return phase = .surveying(before: some.startIndex, due) }
        guard
            due.retention > 0 || writer.configuration.silentSeriesTTL != nil || writer.journalLimit(at: evidence) != nil
        else { return rest(writer) }
        announce(due, writer)
    }

    /// Once for a day: until then the limits move on by a day.
    private mutating func announce(_ due: Due, _ writer: Writer) {
        guard evidence > announced, evidence != confirmed else {
            return phase = .removing(before: writer.entries.count)
        }
        announced = evidence.advanced(byNanoseconds: Self.day)
        let soon = "from \(Self.notice / Self.second) s from now on"
        if due.retention > 0 {
            writer.onNotice(
                .notice(
                    "retention: \(soon), readings past their retention on \(announced.text) are removed; "
                        + "\(due.retention) series have some now"))
        }
        if due.silent > 0, let timeToLive = writer.configuration.silentSeriesTTL {
            let limit = announced.advanced(byNanoseconds: -timeToLive)
            writer.onNotice(
                .notice(
                    "silent_series_ttl: \(soon), series that were silent since before \(limit.text) are forgotten; "
                        + "\(due.silent) have been silent for so long now"))
        }
        phase = .waiting(until: writer.monotonic + Self.notice)
    }

    private mutating func rest(_ writer: Writer) {
        phase = .resting(until: writer.monotonic + Self.hour)
    }

    private mutating func remove(_ writer: Writer, before end: Int) {
        if end == writer.entries.count { removeJournal(writer) }
        // From the end, because forgetting series moves those behind them.
        let some = writer.entries.values.prefix(end).suffix(Self.seriesPerStep)
        let (limits, share) = (limits(of: some, writer), share)
        if !limits.isEmpty {
            try? writer.store.write { transaction in
                for (id, limit) in limits { try transaction.expire(id, before: limit, share) }
            }
        }
        forgetSilent(some, writer)
        guard some.startIndex == 0 else { return phase = .removing(before: some.startIndex) }
        rest(writer)
    }

    /// What may be removed in the pass under way.
    private var share: ExpiryShare {
        confirmed == evidence ? .all : isDaily ? .daily(evidence.seconds / 86_400) : .hourly
    }

    private func limits(of some: ArraySlice<EntryHandle>, _ writer: Writer) -> [(SeriesID, Timestamp)] {
        some.compactMap { entry in
            writer.expiryLimit(of: entry.key, at: evidence).map { (entry.id, $0) }
        }
    }

    /// A row of the journal holds readings of many series: the longest retention counts.
    private func removeJournal(_ writer: Writer) {
        guard let limit = writer.journalLimit(at: evidence) else { return }
        let (end, share) = (writer.position, share)
        try? writer.store.write { try $0.expireJournal(before: limit, through: end, share) }
    }

    // MARK: Silence

    /// Notes when series were heard, to a twenty-fourth of the time that they may be silent. Of one that nothing is known of,
    /// silence counts from now on.
    private func noteHeard(_ some: ArraySlice<EntryHandle>, _ writer: Writer) {
        guard let timeToLive = writer.configuration.silentSeriesTTL else { return }
        let now = writer.now
        let heard = some.filter { entry in
            guard let last = entry.heardAt else { return true }
            return entry.isHeard && (last > now || now.nanoseconds(since: last) > timeToLive / 24)
        }
        guard !heard.isEmpty,
            (try? writer.store.write { try $0.setHeard(heard.map { ($0.id, now) }) }) != nil
        else { return }
        for entry in heard { entry.noteHeard(at: now) }
    }

    private func silent(_ some: ArraySlice<EntryHandle>, _ writer: Writer) -> [EntryHandle] {
        guard let timeToLive = writer.configuration.silentSeriesTTL else { return [] }
        let oldest = evidence.advanced(byNanoseconds: -timeToLive)
        return some.filter { entry in
            !entry.isHeard && entry.heardAt.map { $0 < oldest } ?? false
        }
    }

    private mutating func forgetSilent(_ some: ArraySlice<EntryHandle>, _ writer: Writer) {
        let all = silent(some, writer)
        let silent = confirmed == evidence ? all : Array(all.prefix(forgettable))
        guard !silent.isEmpty, let timeToLive = writer.configuration.silentSeriesTTL else { return }
        let oldest = evidence.advanced(byNanoseconds: -timeToLive)
        let (ids, names) = (silent.map { $0.id }, silent.prefix(3).map { "\($0.key)" })
        writer.onNotice(
            .notice(
                "silent_series_ttl: forgetting \(ids.count) series that were silent since before \(oldest.text), such as "
                    + names.joined(separator: "; ")))
        guard (try? writer.store.write { try $0.deleteSeries(Set(ids)) }) != nil else { return }
        forgettable = max(0, forgettable - ids.count)
        writer.forget(ids)
        writer.counters.update { $0.expiredSeries += ids.count }
    }
}

extension Writer {
    /// Readings of this series before this instant have expired at `time`; nil: none ever do.
    fileprivate func expiryLimit(of key: SeriesKey, at time: Timestamp) -> Timestamp? {
        (configuration.rule(for: key).retention ?? configuration.retention).map { time.advanced(byNanoseconds: -$0) }
    }

    /// nil if some series' readings never expire.
    fileprivate func journalLimit(at time: Timestamp) -> Timestamp? {
        let limits = entries.values.map { expiryLimit(of: $0.key, at: time) }
        return limits.isEmpty || limits.contains(nil) ? nil : limits.compactMap { $0 }.min()
    }
}
