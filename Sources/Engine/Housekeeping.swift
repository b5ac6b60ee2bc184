import Storage

/// What the writer does beside committing readings: none of it is promised to anybody, all of it can be tried again.
extension WriterDesk {
    /// Writes what waits for a commit to travel with, in a transaction of its own.
    ///
    /// - Parameter all: every checkpoint and score, and no seal, which goes on at the next start.
    func writeWaiting(all: Bool = false) {
        repeat {
            let waiting = outgoing.take(1_024)
            let seals = !all && seal.hasWork
            guard !waiting.isEmpty || seals else { return }
            do {
                try store.write { transaction in
                    try waiting.write(to: transaction)
                    if seals { try seal.write(to: transaction) }
                }
                seal.confirm()
            } catch {
                // Recovery replays from an older checkpoint, and the seal keeps what it could not write.
                return
            }
        } while all
    }
}
