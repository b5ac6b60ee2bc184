import Engine
import Feeding

extension Engine {
    /// Commits the readings of a sender.
    ///
    /// - Parameter isUrgent: whether the sender waits for the acknowledgement.
    func commit(isUrgent: Bool) -> LineIntake.Commit {
        { readings in
            let receipt = try await self.ingest(readings, isUrgent: isUrgent)
            return IngestOutcome(
                accepted: receipt.accepted, late: receipt.late, position: receipt.position,
                refusals: receipt.refusals.map { ($0.index, "\($0)") })
        }
    }
}
