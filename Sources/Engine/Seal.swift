import CMemory
import Dispatch
import Storage
import TimeSeries

/// Moves the journal into chunks, in slices so small that no commit waits for them.
///
/// Chunks are made on a queue of their own and handed over; the writer's thread, which owns this, writes a few with every
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
    /// Readings in the journal when the seal began.
    private var sealing = 0

    /// What a slice may add to a commit.
    private static let budget = Duration.milliseconds(2)
    private static let rowsPerSlice = 32
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
        sealing = store.journalReadings
        let box = Mailbox<Piece>(capacity: 256)
        phase = .sealing(through: end, box)
        isHandedOver = false
        DispatchQueue.global(qos: .utility).async { [store] in
            let made = Result { try store.prepareSeal(through: end) { box.post(.series($0)) } }
            switch made {
            case .success: box.post(.end(nil))
            case .failure(let error): box.post(.end(error))
            }
        }
    }

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
            if sealing >= Self.large { DispatchQueue.global(qos: .utility).async { give_back_freed_memory() } }
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
        if case .sealing(let end, _) = phase, isHandedOver { phase = .dropping(through: end) }
    }

    /// Lets the queue end, when the writer stops.
    func stop() { if case .sealing(_, let box) = phase { box.close() } }
}
