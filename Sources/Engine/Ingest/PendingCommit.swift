import Storage

/// What the writer writes beside readings: none of it is promised to anybody, all of it can be tried again.
extension Writer {
    /// Writes the checkpoints and scores that wait for a commit to travel with, in a transaction of their own.
    ///
    /// - Parameter all: every checkpoint and score, and no seal, which goes on at the next start.
    func writePending(all: Bool = false) {
        repeat {
            let waiting = pendingWrites.take(1_024)
            let seals = !all && seal.hasWork
            guard !waiting.isEmpty || seals else { return }
            do {
                try store.write { transaction in
                    try waiting.write(to: transaction)
                    if seals { try seal.write(to: transaction) }
                }
                waiting.written()
                seal.confirm()
            } catch {
                // Tried again with a later commit; the seal keeps what it could not write, too.
                waiting.putBack()
                return
            }
        } while all
    }
}
