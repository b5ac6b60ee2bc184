import CMemory
import Dispatch
import Storage
import TimeSeries

/// Moves the journal into chunks, in slices small enough not to delay commits.
///
/// A separate thread encodes the chunks; the writer's thread, which owns this object, writes a few with every group
/// commit. Once every series is sealed, the sealed part of the journal is deleted, a few rows at a time.
final class Seal {
    private enum Piece: Sendable {
        case series(SealedSeries)
        /// The end of the stream; nil: without an error.
        case end((any Error)?)
    }

    private enum Phase {
        case idle
        case sealing(through: JournalPosition, Mailbox<Piece>)
        case dropping(through: JournalPosition)
    }

    private let store: Store
    private var phase = Phase.idle
    /// Received and not yet known to be on disk.
    private var waiting: [SealedSeries] = []
    private var isHandedOver = false
    /// Roughly the number of readings in the current seal.
    private var sealing = 0
    /// The position at which the newest seal ended.
    private var sealed: JournalPosition = 0
    /// Encodes the chunks; has ended, or is about to, when the next seal begins.
    private var maker: OwnedThread?

    /// The time that a slice may add to a commit.
    private static let budget = Duration.milliseconds(2)
    private static let rowsPerSlice = 32
    /// The maximum number of readings in one seal, unless the configured limit is higher: the journal grows during a
    /// seal, and the next one should not need more memory for that.
    private static let most = 1_000_000
    /// The number of readings above which freed memory is returned to the system.
    private static let large = 100_000

    init(store: Store) { self.store = store }

    /// Whether ``write(to:)`` would write something.
    var hasWork: Bool {
        switch phase {
        case .idle: false
        case .sealing(_, let box): !waiting.isEmpty || isHandedOver || box.backlog > 0
        case .dropping: !store.isJournalRead
        }
    }

    /// How long the writer may wait for messages, in nanoseconds; nil: no limit.
    var patience: Int64? {
        if case .idle = phase { return nil }
        return hasWork ? 0 : 20_000_000
    }

    /// Begins to seal everything up to `end` if the journal has grown to `limit` readings.
    func begin(through end: JournalPosition, limit: Int) {
        guard case .idle = phase, store.journalReadings >= limit else { return }
        join()
        let first = max(sealed, end - JournalPosition(store.journalReadings))
        let end = min(end, first + JournalPosition(max(limit, Self.most)))
        let box = Mailbox<Piece>(capacity: 256)
        // If the thread cannot be started, the journal keeps everything and the next commit retries.
        maker = try? OwnedThread(name: "seal", niceness: Self.niceness(store.journalReadings / limit)) { [store] in
            let made = Result { try store.prepareSeal(through: end) { box.post(.series($0)) } }
            switch made {
            case .success: box.post(.end(nil))
            case .failure(let error): box.post(.end(error))
            }
        }
        guard maker != nil else { return }
        sealing = Int(end - first)
        phase = .sealing(through: end, box)
        isHandedOver = false
    }

    /// The niceness of the seal's thread: it yields to commits and steps, but less so the longer the journal is, or it
    /// would never keep up with a sustained load.
    ///
    /// - Parameter length: the length of the journal as a multiple of the length at which it is sealed.
    private static func niceness(_ length: Int) -> Int32 { Int32(max(0, 10 - 5 * (min(length, 3) - 1))) }

    /// Writes a slice; writes it again in each transaction until ``confirm()``.
    func write(to transaction: WriteTransaction) throws {
        switch phase {
        case .idle: return
        case .sealing(_, let box): try seal(box, transaction)
        case .dropping(let end):
            guard !store.isJournalRead else { return }
            let dropped = try transaction.dropSealed(through: end, limit: Self.rowsPerSlice)
            guard dropped == 0 else { return }
            phase = .idle
            // The temporary allocations of a large seal leave the heap fragmented.
            if sealing >= Self.large { DispatchQueue.global(qos: .utility).async { release_freed_memory() } }
        }
    }

    private func seal(_ box: Mailbox<Piece>, _ transaction: WriteTransaction) throws {
        let start = ContinuousClock.now
        for sealed in waiting { try transaction.seal(sealed) }
        while ContinuousClock.now - start < Self.budget, let piece = box.receive(limit: 1, waiting: 0)?.first {
            switch piece {
            case .series(let sealed):
                waiting.append(sealed)
                try transaction.seal(sealed)
            case .end(let error):
                isHandedOver = true
                // What could not be read is retried with the next seal; the journal keeps it.
                if error != nil { phase = .idle }
                return
            }
        }
    }

    /// Notes that the transaction of the newest slice is on disk.
    func confirm() {
        waiting = []
        if case .sealing(let end, _) = phase, isHandedOver { (phase, sealed) = (.dropping(through: end), end) }
    }

    /// Makes the encoding thread end; for the stop of the writer.
    func stop() { if case .sealing(_, let box) = phase { box.close() } }

    /// Waits until the encoding thread has ended.
    func join() {
        maker?.join()
        maker = nil
    }
}
