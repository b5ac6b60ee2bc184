import TimeSeries

/// Groups requests into commits: urgent ones at once, together with deferred ones; the others once the oldest has
/// waited for the commit delay.
struct RequestBatcher {
    /// Non-urgent requests that wait to share a commit.
    private(set) var deferred: [IngestRequest] = []
    private var deferredSince: Timestamp?

    /// The maximum number of readings in one group commit: a bound on memory, far above the size from which batching no
    /// longer helps.
    private static let commitLimit = 65_536

    /// Adds requests.
    ///
    /// - Parameter delay: how long a request may be deferred, in nanoseconds.
    /// - Returns: the groups to commit now, in order; empty while all may wait.
    mutating func add(_ requests: [IngestRequest], now: Timestamp, delay: Int64) -> [[IngestRequest]] {
        if deferred.isEmpty, !requests.isEmpty { deferredSince = now }
        deferred += requests
        guard requests.contains(where: \.isUrgent) || isDue(now: now, delay: delay) else { return [] }
        return flush()
    }

    /// Removes and returns all requests, in groups.
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

    /// How long deferred requests may still wait, in nanoseconds; nil if there are none.
    func waitLimit(now: Timestamp, delay: Int64) -> Int64? {
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
