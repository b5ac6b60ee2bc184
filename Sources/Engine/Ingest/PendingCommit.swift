import Storage

/// Writes besides readings: nobody waits for them, and all of them can be retried.
extension Writer {
    /// Writes the pending checkpoints and scores, and a slice of the seal, in their own transaction, without waiting
    /// for a commit of readings.
    ///
    /// - Parameter all: writes every checkpoint and score, and nothing of the seal, which continues at the next start.
    func writePending(all: Bool = false) {
        repeat {
            let pending = pendingWrites.dequeue(1_024)
            let seals = !all && seal.hasWork
            guard !pending.isEmpty || seals else { return }
            do {
                try store.write { transaction in
                    try pending.write(to: transaction)
                    if seals { try seal.write(to: transaction) }
                }
                pending.confirm()
                seal.confirm()
            } catch {
                // Retried with a later commit; the seal also keeps what it could not write.
                pending.requeue()
                return
            }
        } while all
    }
}
