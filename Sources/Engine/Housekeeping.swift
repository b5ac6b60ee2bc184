import Storage
import TimeSeries

/// What the writer does beside committing readings: none of it is promised to anybody, all of it can be tried again.
extension WriterDesk {
    /// Writes what waits for a commit to travel with, in a transaction of its own.
    ///
    /// - Parameter all: every checkpoint and score, and no seal, which goes on at the next start.
    func writeWaiting(all: Bool = false) {
        repeat {
            let waiting = outgoing.take(1_024)
            let seals = !all && seal.hasWork
            guard !waiting.isEmpty || seals else { return }
            do {
                try store.write { transaction in
                    try waiting.write(to: transaction)
                    if seals { try seal.write(to: transaction) }
                }
                seal.confirm()
            } catch {
                // Recovery replays from an older checkpoint, and the seal keeps what it could not write.
                return
            }
        } while all
    }

    /// Drops readings past their retention and series that fell silent for good; looked at once an hour, some series at a
    /// time.
    func dropExpired() {
        if now > nextExpiry {
            nextExpiry = now.advanced(byNanoseconds: 3_600_000_000_000)
            expiring = entries.count
            dropExpiredJournal()
        }
        guard expiring > 0 else { return }
        // From the end, because forgetting series moves those behind them.
        let some = entries.values.prefix(expiring).suffix(256)
        expiring = some.startIndex
        let limits = some.compactMap { entry in
            expiryLimit(of: entry.pointee.key).map { (entry.pointee.id, $0) }
        }
        if !limits.isEmpty {
            try? store.write { transaction in
                for (id, limit) in limits { try transaction.dropChunks(of: id, before: limit) }
                for (limit, group) in Dictionary(grouping: limits, by: \.1) {
                    try transaction.dropScores(of: group.map(\.0), before: limit)
                }
            }
        }
        forgetSilent(some)
    }

    /// Readings of this series before this instant have expired; nil: none ever do.
    private func expiryLimit(of key: SeriesKey) -> Timestamp? {
        (configuration.rule(for: key).retention ?? configuration.retention).map {
            now.advanced(byNanoseconds: -$0)
        }
    }

    /// A row of the journal holds readings of many series: the longest retention counts.
    private func dropExpiredJournal() {
        let limits = entries.values.map { expiryLimit(of: $0.pointee.key) }
        guard !limits.isEmpty, !limits.contains(nil), let limit = limits.compactMap({ $0 }).min() else { return }
        let end = position
        _ = try? store.write { try $0.deleteJournal(before: limit, through: end) }
    }

    private func forgetSilent(_ some: ArraySlice<EntryPointer>) {
        guard let timeToLive = configuration.silentSeriesTTL else { return }
        let oldest = now.advanced(byNanoseconds: -timeToLive)
        let silent = some.filter { entry in entry.pointee.newest.map { $0 < oldest } ?? false }.map { $0.pointee.id }
        guard !silent.isEmpty, (try? store.write { try $0.deleteSeries(Set(silent)) }) != nil else { return }
        forget(silent)
        counters.update { $0.expiredSeries += silent.count }
    }
}
