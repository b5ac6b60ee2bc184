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
    mutating func confirm(at desk: WriterDesk) -> Timestamp {
        confirmed = Self.evidence(desk)
        phase = .surveying(before: desk.entries.count, Due())
        evidence = confirmed
        return confirmed
    }

    private static func evidence(_ desk: WriterDesk) -> Timestamp { min(desk.now, desk.newestReading) }

    /// Takes the next step, if one is due: some series at most.
    mutating func step(at desk: WriterDesk) {
        let monotonic = desk.monotonic
        switch phase {
        case .resting(let end):
            guard monotonic >= end, desk.clockTrust == .settled else { return }
            begin(desk)
        case .surveying(let end, let due): survey(desk, before: end, due)
        case .waiting(let end): if monotonic >= end { phase = .removing(before: desk.entries.count) }
        case .removing(let end): remove(desk, before: end)
        }
    }

    private mutating func begin(_ desk: WriterDesk) {
        evidence = Self.evidence(desk)
        let last = (try? desk.store.clock())?.expired
        // One from the future is left from a clock that was ahead.
        isDaily = last.map { evidence.nanoseconds(since: $0) >= Self.day } ?? false
        if isDaily || last == nil || last.map({ $0 > evidence }) ?? false {
            let time = evidence
            try? desk.store.write { try $0.setExpiryTime(time) }
        }
        if isDaily { forgettable = max(1, desk.entries.count / 20) }
        phase = .surveying(before: desk.entries.count, Due())
    }

    private mutating func survey(_ desk: WriterDesk, before end: Int, _ found: Due) {
        let some = desk.entries.values.prefix(end).suffix(Self.seriesPerStep)
        var due = found
        due.retention += some.count { entry in
            desk.expiryLimit(of: entry.pointee.key, at: evidence).map { limit in
                (try? desk.store.oldestChunk(of: entry.pointee.id)).flatMap { $0 }.map { $0.newest < limit } ?? false
            } ?? false
        }
        noteHeard(some, desk)
        due.silent += silent(some, desk).count
        guard some.startIndex == 0 else { return phase = .surveying(before: some.startIndex, due) }
        guard due.retention > 0 || desk.configuration.silentSeriesTTL != nil || desk.journalLimit(at: evidence) != nil
        else { return rest(desk) }
        announce(due, desk)
    }

    /// Once for a day: until then the limits move on by a day.
    private mutating func announce(_ due: Due, _ desk: WriterDesk) {
        guard evidence > announced, evidence != confirmed else {
            return phase = .removing(before: desk.entries.count)
        }
        announced = evidence.advanced(byNanoseconds: Self.day)
        let soon = "from \(Self.notice / Self.second) s from now on"
        if due.retention > 0 {
            desk.onNotice(
                .notice(
                    "retention: \(soon), readings past their retention on \(announced.text) are removed; "
                        + "\(due.retention) series have some now"))
        }
        if due.silent > 0, let timeToLive = desk.configuration.silentSeriesTTL {
            let limit = announced.advanced(byNanoseconds: -timeToLive)
            desk.onNotice(
                .notice(
                    "silent_series_ttl: \(soon), series that were silent since before \(limit.text) are forgotten; "
                        + "\(due.silent) have been silent for so long now"))
        }
        phase = .waiting(until: desk.monotonic + Self.notice)
    }

    private mutating func rest(_ desk: WriterDesk) {
        phase = .resting(until: desk.monotonic + Self.hour)
    }

    private mutating func remove(_ desk: WriterDesk, before end: Int) {
        if end == desk.entries.count { removeJournal(desk) }
        // From the end, because forgetting series moves those behind them.
        let some = desk.entries.values.prefix(end).suffix(Self.seriesPerStep)
        let (limits, share) = (limits(of: some, desk), share)
        if !limits.isEmpty {
            try? desk.store.write { transaction in
                for (id, limit) in limits { try transaction.expire(id, before: limit, share) }
            }
        }
        forgetSilent(some, desk)
        guard some.startIndex == 0 else { return phase = .removing(before: some.startIndex) }
        rest(desk)
    }

    /// What may be removed in the pass under way.
    private var share: ExpiryShare {
        confirmed == evidence ? .all : isDaily ? .daily(evidence.seconds / 86_400) : .hourly
    }

    private func limits(of some: ArraySlice<EntryPointer>, _ desk: WriterDesk) -> [(SeriesID, Timestamp)] {
        some.compactMap { entry in
            desk.expiryLimit(of: entry.pointee.key, at: evidence).map { (entry.pointee.id, $0) }
        }
    }

    /// A row of the journal holds readings of many series: the longest retention counts.
    private func removeJournal(_ desk: WriterDesk) {
        guard let limit = desk.journalLimit(at: evidence) else { return }
        let (end, share) = (desk.position, share)
        try? desk.store.write { try $0.expireJournal(before: limit, through: end, share) }
    }

    // MARK: Silence

    /// Notes when series were heard, to a twenty-fourth of the time that they may be silent. Of one that nothing is known of,
    /// silence counts from now on.
    private func noteHeard(_ some: ArraySlice<EntryPointer>, _ desk: WriterDesk) {
        guard let timeToLive = desk.configuration.silentSeriesTTL else { return }
        let now = desk.now
        let heard = some.filter { entry in
            guard let last = entry.pointee.heardAt else { return true }
            return entry.pointee.isHeard && (last > now || now.nanoseconds(since: last) > timeToLive / 24)
        }
        guard !heard.isEmpty,
            (try? desk.store.write { try $0.setHeard(heard.map { ($0.pointee.id, now) }) }) != nil
        else { return }
        for entry in heard { entry.pointee.noteHeard(at: now) }
    }

    private func silent(_ some: ArraySlice<EntryPointer>, _ desk: WriterDesk) -> [EntryPointer] {
        guard let timeToLive = desk.configuration.silentSeriesTTL else { return [] }
        let oldest = evidence.advanced(byNanoseconds: -timeToLive)
        return some.filter { entry in
            !entry.pointee.isHeard && entry.pointee.heardAt.map { $0 < oldest } ?? false
        }
    }

    private mutating func forgetSilent(_ some: ArraySlice<EntryPointer>, _ desk: WriterDesk) {
        let all = silent(some, desk)
        let silent = confirmed == evidence ? all : Array(all.prefix(forgettable))
        guard !silent.isEmpty, let timeToLive = desk.configuration.silentSeriesTTL else { return }
        let oldest = evidence.advanced(byNanoseconds: -timeToLive)
        let (ids, names) = (silent.map { $0.pointee.id }, silent.prefix(3).map { "\($0.pointee.key)" })
        desk.onNotice(
            .notice(
                "silent_series_ttl: forgetting \(ids.count) series that were silent since before \(oldest.text), such as "
                    + names.joined(separator: "; ")))
        guard (try? desk.store.write { try $0.deleteSeries(Set(ids)) }) != nil else { return }
        forgettable = max(0, forgettable - ids.count)
        desk.forget(ids)
        desk.counters.update { $0.expiredSeries += ids.count }
    }
}

extension WriterDesk {
    /// Readings of this series before this instant have expired at `time`; nil: none ever do.
    fileprivate func expiryLimit(of key: SeriesKey, at time: Timestamp) -> Timestamp? {
        (configuration.rule(for: key).retention ?? configuration.retention).map { time.advanced(byNanoseconds: -$0) }
    }

    /// nil if some series' readings never expire.
    fileprivate func journalLimit(at time: Timestamp) -> Timestamp? {
        let limits = entries.values.map { expiryLimit(of: $0.pointee.key, at: time) }
        return limits.isEmpty || limits.contains(nil) ? nil : limits.compactMap { $0 }.min()
    }
}
