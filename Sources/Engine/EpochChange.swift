import Dispatch
import Storage
import TimeSeries

/// Gives series a new epoch: promotion, rollback, reset. One transaction, then warm-up histories, then the swap.
struct EpochChange: Sendable {
    /// The version of each series from now on.
    var versions: [SeriesID: LoadedVersion]
    /// Slots to replay before the epoch; 0 starts from the initial state.
    var warmUp: Int
    var cause: Cause
    /// The forecaster's champion from now on, if this promotes one.
    var champion: (forecaster: String, version: Int64)?

    /// Commits the change on the writer's thread and sends for the histories.
    func commit(at desk: WriterDesk, then done: @escaping @Sendable (Result<Int, any Error>) -> Void) {
        do {
            let assignments = try write(at: desk)
            for shard in desk.shards { shard.tell(.hold(ids(of: shard, in: assignments, desk))) }
            fetch(assignments, desk, then: done)
        } catch {
            done(.failure(error))
        }
    }

    private func write(at desk: WriterDesk) throws -> [SeriesID: Assignment] {
        let frontiers = Dictionary(
            desk.entries.values.map { ($0.pointee.id, $0.pointee.frontier) }, uniquingKeysWith: { first, _ in first })
        let position = desk.position
        let now = desk.now
        return try desk.store.write { transaction in
            var assignments: [SeriesID: Assignment] = [:]
            for (id, version) in versions {
                let frontier = frontiers[id] ?? nil
                let epoch = NewEpoch(
                    series: id, version: version.version.id, fromSlot: frontier, warmUp: frontier == nil ? 0 : warmUp,
                    position: position, reason: cause.reason, standsFor: cause.standsFor, createdAt: now)
                assignments[id] = Assignment(epoch: try transaction.insertEpoch(epoch), version: version)
            }
            if let champion {
                try transaction.recordChampion(forecaster: champion.forecaster, version: champion.version)
            }
            return assignments
        }
    }

    private func ids(of shard: Shard, in assignments: [SeriesID: Assignment], _ desk: WriterDesk) -> [SeriesID] {
        assignments.keys.filter { desk.shard(of: $0) === shard }
    }

    /// Reads the histories away from the writer, which goes on committing meanwhile.
    private func fetch(
        _ assignments: [SeriesID: Assignment], _ desk: WriterDesk,
        then done: @escaping @Sendable (Result<Int, any Error>) -> Void
    ) {
        let oldest = Dictionary(
            desk.entries.values.compactMap { entry in
                assignments[entry.pointee.id].map {
                    (entry.pointee.id, Self.oldestNeeded($0, cadence: entry.pointee.cadence))
                }
            }, uniquingKeysWith: { first, _ in first })
        DispatchQueue.global(qos: .utility).async {
            let end = assignments.values.map(\.epoch.position).max() ?? 0
            let history = Result {
                // In the form in which the shards keep them: in another one before, ten thousand would be there twice.
                var history: [SeriesID: KeptReadings] = [:]
                try desk.store.eachHistory(of: oldest, through: end) { id, readings in
                    history[id] = KeptReadings(readings, since: assignments[id])
                }
                return history
            }
            for shard in desk.shards {
                let mine = assignments.filter { desk.shard(of: $0.key) === shard }
                guard !mine.isEmpty else { continue }
                switch history {
                case .success(let history): shard.tell(.load(mine, history: history))
                case .failure: shard.tell(.release(Array(mine.keys)))
                }
            }
            done(history.map { _ in assignments.count })
        }
    }

    private static func oldestNeeded(_ assignment: Assignment, cadence: Cadence?) -> Timestamp {
        guard let cadence, let from = assignment.epoch.fromSlot else { return .distantPast }
        let lags = max(assignment.version.model.lags.last ?? 0, SeriesState.shownSlots)
        return cadence.start(of: from - Int64(assignment.epoch.warmUp + lags))
    }
}
