import Storage
import TimeSeries

/// What the writer is asked to do.
enum WriterJob: Sendable {
    case ingest(IngestRequest)
    /// Something else that changes the database, run between two group commits.
    case perform(@Sendable (WriterState) -> Void)
}

/// The one thread that writes to the database.
///
/// It takes what has arrived, commits it in one synced transaction, tells the shards, and only then acknowledges.
/// `@unchecked Sendable`: everything but `mailbox` is touched only by the thread that runs ``run()``, and after it by
/// the one that calls ``finish()``.
final class Writer: @unchecked Sendable {
    let mailbox: Mailbox<WriterJob>
    private let state: WriterState
    private var deferred: [IngestRequest] = []
    private var deferredSince: Timestamp?
    /// Who is likely to come along with the next request: as many as came lately, one less each time they do not. A
    /// commit costs a sync and three pages beside its readings, so under load a short wait saves writes; a
    /// sender who is alone is not kept waiting.
    private var batchTarget = Mailbox<WriterJob>.BatchTarget()

    /// Readings in one group commit: a bound on memory, far above what pays.
    private static let commitLimit = 65_536
    /// The longest wait for a batch to reach its target, in nanoseconds; else as long as the last commit took.
    private static let maximumLinger: Int64 = 3_000_000
    /// How long checkpoints may wait for a commit to travel with.
    private static let idle: Int64 = 1_000_000_000

    init(state: WriterState) {
        self.state = state
        mailbox = Mailbox(capacity: 1_024)
    }

    /// Works until the mailbox is closed and empty.
    func run() {
        while let jobs = mailbox.receive(limit: 1_024, waiting: patience, batchTarget: batchTarget) {
            var requests: [IngestRequest] = []
            for job in jobs {
                switch job {
                case .ingest(let request): requests.append(request)
                case .perform(let body):
                    commit(requests)
                    requests = []
                    body(state)
                }
            }
            let took = ContinuousClock().measure { commitOrDefer(requests) }
            setBatchTarget(after: requests, took)
            if jobs.isEmpty { state.writeWaiting() }
            state.seal.begin(through: state.position, limit: state.configuration.sealAfter)
            state.expiry.step(at: state)
        }
        commit([])
        state.seal.stop()
    }

    /// Writes what the shards have left; once ``run()`` has returned and they have stepped over its last commit.
    func finish() {
        state.writeWaiting(all: true)
        state.seal.join()
    }

    private func setBatchTarget(after requests: [IngestRequest], _ took: Duration) {
        let nanoseconds = took.components.attoseconds / 1_000_000_000
        let expected = requests.isEmpty ? 1 : max(requests.count + mailbox.backlog, batchTarget.count - 1)
        batchTarget = .init(count: expected, nanoseconds: min(nanoseconds, Self.maximumLinger))
    }

    private var patience: Int64 {
        let idle = min(Self.idle, state.seal.patience ?? Self.idle)
        return deferred.isEmpty ? idle : min(idle, max(1, remainingDelay))
    }

    private var remainingDelay: Int64 {
        guard let deferredSince else { return 0 }
        return state.commitDelay - state.now.nanoseconds(since: deferredSince)
    }

    /// Commits now if somebody waits, else when the oldest reading has waited long enough.
    private func commitOrDefer(_ requests: [IngestRequest]) {
        if requests.contains(where: \.isUrgent) { return commit(requests) }
        if deferred.isEmpty, !requests.isEmpty { deferredSince = state.now }
        deferred += requests
        noteDeferred()
        let waiting = deferred.reduce(0) { $0 + $1.readings.count }
        // A clock set back must not make readings wait longer.
        if !deferred.isEmpty, remainingDelay <= 0 || remainingDelay > state.commitDelay || waiting >= Self.commitLimit {
            commit([])
        }
    }

    private func noteDeferred() {
        let count = deferred.count
        state.counters.update { $0.deferred = count }
    }

    private func commit(_ requests: [IngestRequest]) {
        var group: [IngestRequest] = []
        var size = 0
        let all = deferred + requests
        deferred = []
        deferredSince = nil
        noteDeferred()
        for request in all {
            if size > 0, size + request.readings.count > Self.commitLimit {
                state.commit(group)
                group = []
                size = 0
            }
            group.append(request)
            size += request.readings.count
        }
        if !group.isEmpty { state.commit(group) }
    }
}
