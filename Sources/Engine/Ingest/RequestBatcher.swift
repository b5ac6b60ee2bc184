import TimeSeries

/// Groups requests into commits: urgent ones at once, together with those that were deferred; the others when the oldest
/// has waited for the commit delay.
struct RequestBatcher {
    /// Requests nobody waits on, which wait for others to be committed with.
    private(set) var deferred: [IngestRequest] = []
    private var deferredSince: Timestamp?

    /// Readings in one group commit: a bound on memory, far above what pays.
    private static let commitLimit = 65_536

    /// Takes requests in.
    ///
    /// - Parameter delay: how long a request may be deferred, in nanoseconds.
    /// - Returns: the groups to commit now, in order; none while all may wait.
    mutating func add(_ requests: [IngestRequest], now: Timestamp, delay: Int64) -> [[IngestRequest]] {
        if deferred.isEmpty, !requests.isEmpty { deferredSince = now }
        deferred += requests
        guard requests.contains(where: \.isUrgent) || isDue(now: now, delay: delay) else { return [] }
        return flush()
    }

    /// All requests, in groups.
    mutating func flush() -> [[IngestRequest]] {
        let requests = deferred
        (deferred, deferredSince) = ([], nil)
        var groups: [[IngestRequest]] = []
        var size = Self.commitLimit
        for request in requests {
            if groups.isEmpty || (size > 0 && size + request.readings.count > Self.commitLimit) {
                groups.append([])
                size = 0
            }
            groups[groups.count - 1].append(request)
            size += request.readings.count
        }
        return groups
    }

    /// How long deferred requests may wait from `now` on, in nanoseconds; nil if none do.
    func patience(now: Timestamp, delay: Int64) -> Int64? {
        deferred.isEmpty ? nil : max(1, remaining(now: now, delay: delay))
    }

    private func isDue(now: Timestamp, delay: Int64) -> Bool {
        guard !deferred.isEmpty else { return false }
        let remaining = remaining(now: now, delay: delay)
        // A clock set back must not make readings wait longer.
        return remaining <= 0 || remaining > delay
            || deferred.reduce(0) { $0 + $1.readings.count } >= Self.commitLimit
    }

    private func remaining(now: Timestamp, delay: Int64) -> Int64 {
        deferredSince.map { delay - now.nanoseconds(since: $0) } ?? 0
    }
}
