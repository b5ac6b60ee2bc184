import TimeSeries

/// What a daemon has to hold after what it was told: a reference model that shares no code with the engine and the
/// storage, made to be obviously right and not to be fast.
///
/// The rules are those of docs/architecture.md: event time decides; a reading is classed once, when it is committed;
/// for one timestamp the reading with the highest position counts.
struct Oracle {
    /// What the configuration says about the time grid of a series.
    struct Rule: Equatable {
        /// nil: inferred from the first 17 readings.
        var cadence: Cadence?
        /// In nanoseconds; nil: the longer of an hour and 64 slots.
        var lateness: Int64?
        /// In nanoseconds; nil: readings are kept for ever.
        var retention: Int64?
        /// After how long a silence a series is removed, in nanoseconds; nil: never.
        var timeToLive: Int64?

        /// In slots, at least 1.
        func latenessSlots(_ cadence: Cadence) -> Int64 {
            guard let lateness else { return max(64, 3_600_000_000_000 / cadence.nanoseconds) }
            return max(1, lateness / cadence.nanoseconds)
        }
    }

    /// A reading as a sender sends it.
    struct Sent: Equatable {
        var series: String
        var timestamp: Timestamp
        var value: Double
    }

    /// A reading in the journal.
    struct Entry: Equatable {
        var timestamp: Timestamp
        var value: Double
        var isFresh: Bool
        /// The last position of its group commit.
        var position: Int64
    }

    enum Verdict: Equatable { case fresh, late, notFinite, tooFarAhead, slotFull }

    struct Series {
        var rule: Rule
        var cadence: Cadence?
        var lateness: Int64 = 0
        /// The newest slot with a fresh reading, once there is a cadence.
        var frontier: Slot?
        /// The distinct timestamps of fresh readings, ascending.
        var times: [Timestamp] = []
        /// In the order of the commits.
        var journal: [Entry] = []
        /// When the newest of its readings was sent.
        var heard = Timestamp.distantPast
    }

    /// The series that exist, by name.
    private(set) var series: [String: Series] = [:]
    /// The newest timestamp ever committed.
    private(set) var newest = Timestamp.distantPast
    private(set) var lastPosition: Int64 = 0

    /// Commits a batch.
    ///
    /// - Parameters:
    ///   - position: the last journal position of the commit.
    ///   - sentAt: when it was sent.
    ///   - isRefused: whether the clock of the daemon refuses a reading for its timestamp.
    ///   - rule: the rule of a new series.
    /// - Returns: what has to become of each reading.
    mutating func commit(
        _ batch: [Sent], position: Int64, sentAt: Timestamp, isRefused: (Timestamp) -> Bool, rule: (String) -> Rule
    ) -> [Verdict] {
        lastPosition = max(lastPosition, position)
        return batch.map { reading in
            guard reading.value.isFinite else { return .notFinite }
            if isRefused(reading.timestamp) { return .tooFarAhead }
            let verdict = series[reading.series, default: Series(rule: rule(reading.series))]
                .admit(reading.timestamp, reading.value, position)
            if verdict == .fresh || verdict == .late {
                newest = max(newest, reading.timestamp)
                series[reading.series]?.heard = sentAt
            }
            return verdict
        }
    }

    /// The series are removed with everything about them.
    mutating func forget(_ names: some Sequence<String>) { for name in names { series[name] = nil } }

    /// Another configuration is current.
    mutating func adopt(_ rule: (String) -> Rule) {
        for name in series.keys { series[name]?.adopt(rule(name)) }
    }

    /// Whether a reading may have expired: those within the retention of the newest must not.
    func mayHaveExpired(_ timestamp: Timestamp, of name: String) -> Bool {
        guard let retention = series[name]?.rule.retention else { return false }
        return timestamp < newest.advanced(byNanoseconds: -retention)
    }

    /// Whether a series may have been removed because it is silent. Arrivals are stored coarsely.
    func mayBeForgotten(_ name: String, at now: Timestamp) -> Bool {
        guard let series = series[name], let timeToLive = series.rule.timeToLive else { return false }
        return now.nanoseconds(since: series.heard) > timeToLive - timeToLive / 12
    }

    /// The readings that an export of a series has to show, ascending: one per timestamp, the one committed last.
    func readings(of name: String) -> [(timestamp: Timestamp, value: Double)] {
        var values: [Timestamp: Double] = [:]
        for entry in series[name]?.journal ?? [] { values[entry.timestamp] = entry.value }
        return values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}

extension Oracle.Series {
    private static let slotCapacity = 4_096

    fileprivate mutating func admit(_ time: Timestamp, _ value: Double, _ position: Int64) -> Oracle.Verdict {
        if cadence == nil { adoptCadence(rule.cadence) }
        let verdict = verdict(on: time)
        guard verdict != .slotFull else { return verdict }
        journal.append(
            Oracle.Entry(timestamp: time, value: value, isFresh: verdict == .fresh, position: position))
        guard verdict == .fresh else { return verdict }
        let index = firstIndex(notBefore: time)
        if index == times.count || times[index] != time { times.insert(time, at: index) }
        if let cadence { frontier = max(frontier ?? .min, cadence.slot(of: time)) }
        if cadence == nil { adoptCadence(Cadence.inferred(from: times)) }
        return verdict
    }

    private func verdict(on time: Timestamp) -> Oracle.Verdict {
        guard let cadence, let frontier else { return .fresh }
        let slot = cadence.slot(of: time)
        if slot <= frontier - lateness { return .late }
        let (first, end) = (
            firstIndex(notBefore: cadence.start(of: slot)), firstIndex(notBefore: cadence.start(of: slot + 1))
        )
        guard end - first >= Self.slotCapacity else { return .fresh }
        let index = firstIndex(notBefore: time)
        return index < times.count && times[index] == time ? .fresh : .slotFull
    }

    private mutating func adoptCadence(_ new: Cadence?) {
        guard let new else { return }
        cadence = new
        lateness = rule.latenessSlots(new)
        frontier = times.last.map { new.slot(of: $0) }
    }

    /// A declared cadence that differs from the present one gives the series another grid; nothing else changes it.
    fileprivate mutating func adopt(_ rule: Oracle.Rule) {
        self.rule = rule
        if let declared = rule.cadence, let cadence, declared != cadence { adoptCadence(declared) }
    }

    private func firstIndex(notBefore time: Timestamp) -> Int {
        var (low, high) = (0, times.count)
        while low < high {
            let middle = (low + high) / 2
            if times[middle] < time { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
