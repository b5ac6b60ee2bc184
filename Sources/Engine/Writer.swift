import Storage
import TimeSeries

/// What the writer is asked to do.
enum WriterJob: Sendable {
    case ingest(IngestRequest)
    /// Something else that changes the database, run between two group commits.
    case perform(@Sendable (WriterDesk) -> Void)
}

/// The one thread that writes to the database.
///
/// It takes what has arrived, commits it in one synced transaction, tells the shards, and only then acknowledges.
/// `@unchecked Sendable`: everything but `mailbox` is touched only by the thread that runs ``run()``, and after it by
/// the one that calls ``finish()``.
final class Writer: @unchecked Sendable {
    let mailbox: Mailbox<WriterJob>
    private let desk: WriterDesk
    private var deferred: [IngestRequest] = []
    private var deferredSince: Timestamp?
    /// Who is likely to come along with the next request: as many as came lately, one less each time they do not. A
    /// commit costs a sync and three pages beside its readings, so under load waiting for company is writing less; a
    /// sender who is alone is not kept waiting.
    private var company = Mailbox<WriterJob>.Company()

    /// Readings in one group commit: a bound on memory, far above what pays.
    private static let commitLimit = 65_536
    /// The longest wait for company, in nanoseconds; else it is as long as the last commit took.
    private static let courtesy: Int64 = 3_000_000
    /// How long checkpoints may wait for a commit to travel with.
    private static let idle: Int64 = 1_000_000_000

    init(desk: WriterDesk) {
        self.desk = desk
        mailbox = Mailbox(capacity: 1_024)
    }

    /// Works until the mailbox is closed and empty.
    func run() {
        while let jobs = mailbox.receive(limit: 1_024, waiting: patience, company: company) {
            var requests: [IngestRequest] = []
            for job in jobs {
                switch job {
                case .ingest(let request): requests.append(request)
                case .perform(let body):
                    commit(requests)
                    requests = []
                    body(desk)
                }
            }
            let took = ContinuousClock().measure { commitOrDefer(requests) }
            expectCompany(after: requests, took)
            if jobs.isEmpty { desk.writeWaiting() }
            desk.seal.begin(through: desk.position, limit: desk.configuration.sealAfter)
            desk.expiry.step(at: desk)
        }
        commit([])
        desk.seal.stop()
    }

    /// Writes what the shards have left; once ``run()`` has returned and they have stepped over its last commit.
    func finish() {
        desk.writeWaiting(all: true)
        desk.seal.join()
    }

    private func expectCompany(after requests: [IngestRequest], _ took: Duration) {
        let nanoseconds = took.components.attoseconds / 1_000_000_000
        let expected = requests.isEmpty ? 1 : max(requests.count + mailbox.backlog, company.count - 1)
        company = .init(count: expected, nanoseconds: min(nanoseconds, Self.courtesy))
    }

    private var patience: Int64 {
        let idle = min(Self.idle, desk.seal.patience ?? Self.idle)
        return deferred.isEmpty ? idle : min(idle, max(1, remainingDelay))
    }

    private var remainingDelay: Int64 {
        guard let deferredSince else { return 0 }
        return desk.commitDelay - desk.now.nanoseconds(since: deferredSince)
    }

    /// Commits now if somebody waits, else when the oldest reading has waited long enough.
    private func commitOrDefer(_ requests: [IngestRequest]) {
        if requests.contains(where: \.isUrgent) { return commit(requests) }
        if deferred.isEmpty, !requests.isEmpty { deferredSince = desk.now }
        deferred += requests
        noteDeferred()
        let waiting = deferred.reduce(0) { $0 + $1.readings.count }
        // A clock set back must not make readings wait longer.
        if !deferred.isEmpty, remainingDelay <= 0 || remainingDelay > desk.commitDelay || waiting >= Self.commitLimit {
            commit([])
        }
    }

    private func noteDeferred() {
        let count = deferred.count
        desk.counters.update { $0.deferred = count }
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
                desk.commit(group)
                group = []
                size = 0
            }
            group.append(request)
            size += request.readings.count
        }
        if !group.isEmpty { desk.commit(group) }
    }
}
