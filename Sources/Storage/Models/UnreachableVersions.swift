import Basics
import GRDB

extension Store {
    /// The versions whose weights can be removed: they serve no series, are not a rollback target, no version stands in
    /// for them, and they are not among the newest of their forecaster.
    ///
    /// - Parameter keeping: by forecaster, how many of the newest versions to keep; all versions of other forecasters
    ///   are kept.
    public func unreachableVersions(keeping: [String: Int]) throws -> [Int64] {
        let candidates = try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT id, forecaster FROM model_version WHERE LENGTH(weights) > \(PrunedWeights.size) ORDER BY id DESC
                    """
            ).map { row in
                (
                    id: try row.value("id", in: "model_version", as: Int64.self),
                    forecaster: try row.value("forecaster", in: "model_version", as: String.self)
                )
            }
        }
        var seen: [String: Int] = [:]
        let old = candidates.filter { candidate in
            seen[candidate.forecaster, default: 0] += 1
            return keeping[candidate.forecaster].map { (seen[candidate.forecaster] ?? 0) > $0 } ?? false
        }
        guard !old.isEmpty else { return [] }
        if PlantedBug.servingWeightsRemoved.isActive { return old.map(\.id) }
        let reachable = Set(try read { try Int64.fetchAll($0, sql: Self.reachable) })
        return old.map(\.id).filter { !reachable.contains($0) }
    }

    /// The versions that serve, those they stand in for, those that served before them, and those promoted last.
    private static let reachable = """
        WITH current AS (SELECT series, MAX(id) AS id, version, stands_for_version FROM epoch GROUP BY series)
        SELECT version FROM current
        UNION SELECT stands_for_version FROM current WHERE stands_for_version IS NOT NULL
        UNION SELECT version FROM champion
        UNION SELECT version FROM (
            SELECT MAX(epoch.id), epoch.version AS version FROM epoch, current
            WHERE epoch.series = current.series AND epoch.version <> current.version GROUP BY epoch.series)
        """
}
