import Basics
import Storage

/// Writes besides readings: nobody waits for them, and all of them can be retried.
extension Writer {
    /// Writes the pending outages, checkpoints and scores, and a slice of the seal, in their own transaction, without waiting
    /// for a commit of readings.
    ///
    /// - Parameter all: writes every outage, checkpoint and score, and nothing of the seal, which continues at the next start.
    func writePending(all: Bool = false) {
        repeat {
            let isForgetful = PlantedBug.outagesLostAtStop.isActive
            let outages = isForgetful ? [] : pendingWrites.outages.drain()
            let pending = pendingWrites.dequeue(1_024)
            let seals = !all && seal.hasWork
            guard !outages.isEmpty || !pending.isEmpty || seals else { return }
            do {
                try write { transaction in
                    for outage in outages { try transaction.saveOutage(outage) }
                    try pending.write(to: transaction)
                    if seals { try seal.write(to: transaction) }
                }
                pending.confirm()
                seal.confirm()
            } catch {
                // Retried with a later commit; the seal also keeps what it could not write.
                pendingWrites.outages.put(outages)
                pending.requeue()
                return
            }
        } while all
    }
}
