import CMemory
import Dispatch
import Storage
import TimeSeries

/// Moves the journal into chunks, in slices so small that no commit waits for them.
///
/// Chunks are made on a thread of their own and handed over; the writer's thread, which owns this, writes a few with every
/// group commit. When every series is sealed, the journal's head is dropped, a few rows at a time.
final class Seal {
    private enum Piece: Sendable {
        case series(SealedSeries)
        /// nil: everything was handed over.
        case end((any Error)?)
    }

    private enum Phase {
        case idle
        case sealing(through: JournalPosition, Mailbox<Piece>)
        case dropping(through: JournalPosition)
    }

    private let store: Store
    private var phase = Phase.idle
    /// Taken over and not yet surely on disk.
    private var waiting: [SealedSeries] = []
    private var isHandedOver = false
    /// Readings of the seal, about.
    private var sealing = 0
    /// Where the newest seal ended.
    private var sealed: JournalPosition = 0
    /// Makes the chunks; has ended, or is about to, when the next seal begins.
    private var maker: OwnedThread?

    /// What a slice may add to a commit.
    private static let budget = Duration.milliseconds(2)
    private static let rowsPerSlice = 32
    /// Readings of one seal if the journal may not grow longer: while one is made the journal grows, and the next is to
    /// take no more memory for that.
    private static let most = 1_000_000
    /// Readings from which on memory is worth giving back.
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

    /// How long the writer may sleep, in nanoseconds; nil: as long as it likes.
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
        // Without a thread the journal keeps everything, and the next commit tries again.
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

    /// A seal gives way to commits and steps, but the less the longer the journal has become: under a load that does not
    /// end it would else never keep up.
    ///
    /// - Parameter length: of the journal, as a multiple of that from which on it is sealed.
    private static func niceness(_ length: Int) -> Int32 { Int32(max(0, 10 - 5 * (min(length, 3) - 1))) }

    /// Writes a slice. Until ``confirm()`` it may be asked for again.
    func write(to transaction: WriteTransaction) throws {
        switch phase {
        case .idle: return
        case .sealing(_, let box): try seal(box, transaction)
        case .dropping(let end):
            guard !store.isJournalRead else { return }
            let dropped = try transaction.dropSealed(through: end, limit: Self.rowsPerSlice)
            guard dropped == 0 else { return }
            phase = .idle
            // What a large seal took for a moment lies about in small pieces, between those that stay.
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
                // What could not be read now is tried again with the next seal; the journal keeps it.
                if error != nil { phase = .idle }
                return
            }
        }
    }

    /// The transaction of the newest slice is on disk.
    func confirm() {
        waiting = []
        if case .sealing(let end, _) = phase, isHandedOver { (phase, sealed) = (.dropping(through: end), end) }
    }

    /// Lets the making of chunks end, when the writer stops.
    func stop() { if case .sealing(_, let box) = phase { box.close() } }

    /// Waits until it has ended.
    func join() {
        maker?.join()
        maker = nil
    }
}
