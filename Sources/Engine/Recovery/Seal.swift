import Basics
import CMemory
import Dispatch
import Storage
import TimeSeries

/// Moves the journal into chunks, in slices small enough not to delay commits.
///
/// A ``ChunkEncoder`` encodes the chunks; the writer's thread, which owns this object, writes a few with every group
/// commit. Once every series is sealed, the sealed part of the journal is deleted, a few rows at a time.
final class Seal {
    private enum Phase {
        case idle
        case sealing(through: JournalPosition, Mailbox<ChunkEncoder.Piece>)
        case dropping(through: JournalPosition)
    }

    private let store: Store
    private let clock: SettledClock
    private let runtime: any Runtime
    private var phase = Phase.idle
    /// Received and not yet known to be on disk.
    private var unconfirmed: [SealedSeries] = []
    private var isFullyReceived = false
    /// Roughly the number of readings in the current seal.
    private var readingCount = 0
    /// The position at which the newest seal ended.
    private var lastSealed: JournalPosition = 0
    /// Encodes the chunks; has ended, or is about to, when the next seal begins.
    private var encoder: (any RunningWorker)?

    /// The time that a slice may add to a commit, in nanoseconds.
    private static let budget: Int64 = 2_000_000
    private static let rowsPerSlice = 32
    /// The maximum number of readings in one seal, unless the configured limit is higher: the journal grows during a
    /// seal, and the next one should not need more memory for that.
    private static let maximumReadings = 1_000_000
    /// The number of readings above which freed memory is returned to the system.
    private static let largeSeal = 100_000

    init(store: Store, clock: SettledClock, runtime: any Runtime) {
        (self.store, self.clock, self.runtime) = (store, clock, runtime)
    }

    var isIdle: Bool { if case .idle = phase { true } else { false } }

    /// Whether ``write(to:)`` would write something.
    var hasWork: Bool {
        switch phase {
        case .idle: false
        case .sealing(_, let mailbox): !unconfirmed.isEmpty || isFullyReceived || mailbox.backlog > 0
        case .dropping: !store.isJournalRead
        }
    }

    /// How long the writer may wait for messages, in nanoseconds; nil: no limit.
    var waitLimit: Int64? {
        if case .idle = phase { return nil }
        return hasWork ? 0 : 20_000_000
    }

    /// Begins to seal everything up to `end` if the journal has grown to `limit` readings.
    func begin(through end: JournalPosition, limit: Int) {
        guard case .idle = phase, store.journalReadings >= limit else { return }
        join()
        let first = max(lastSealed, end - JournalPosition(store.journalReadings))
        let end = min(end, first + JournalPosition(max(limit, Self.maximumReadings)))
        let new = ChunkEncoder(store: store, through: end)
        // If it cannot be started, the journal keeps everything and the next commit retries.
        encoder = try? runtime.start(new, name: "seal", niceness: Self.niceness(store.journalReadings / limit))
        guard encoder != nil else { return }
        Place.sealBegun.reached()
        readingCount = Int(end - first)
        phase = .sealing(through: end, new.pieces)
        isFullyReceived = false
    }

    /// The niceness of the encoder: it yields to commits and steps, but less so the longer the journal is, or it
    /// would never keep up with a sustained load.
    ///
    /// - Parameter length: the length of the journal as a multiple of the length at which it is sealed.
    private static func niceness(_ length: Int) -> Int32 { Int32(max(0, 10 - 5 * (min(length, 3) - 1))) }

    /// Writes a slice; writes it again in each transaction until ``confirm()``.
    func write(to transaction: WriteTransaction) throws {
        switch phase {
        case .idle: return
        case .sealing(_, let mailbox): try seal(mailbox, transaction)
        case .dropping(let end):
            guard !store.isJournalRead else { return }
            let dropped = try transaction.dropSealed(through: end, limit: Self.rowsPerSlice)
            guard dropped == 0 else { return Place.journalDropped.reached() }
            phase = .idle
            // The temporary allocations of a large seal leave the heap fragmented.
            if readingCount >= Self.largeSeal { DispatchQueue.global(qos: .utility).async { release_freed_memory() } }
        }
    }

    private func seal(_ mailbox: Mailbox<ChunkEncoder.Piece>, _ transaction: WriteTransaction) throws {
        let start = clock.monotonic
        for sealed in unconfirmed { try transaction.seal(sealed) }
        while clock.monotonic - start < Self.budget, let piece = mailbox.receive(limit: 1, timeout: 0)?.first {
            switch piece {
            case .series(let sealed):
                unconfirmed.append(sealed)
                try transaction.seal(sealed)
            case .end(let error):
                isFullyReceived = true
                // What could not be read is retried with the next seal; the journal keeps it.
                if error != nil {
                    Place.sealFailed.reached()
                    phase = .idle
                }
                return
            }
        }
    }

    /// Notes that the transaction of the newest slice is on disk.
    func confirm() {
        unconfirmed = []
        if case .sealing(let end, _) = phase, isFullyReceived { (phase, lastSealed) = (.dropping(through: end), end) }
    }

    /// Makes the encoder end; for the stop of the writer.
    func stop() { if case .sealing(_, let mailbox) = phase { mailbox.close() } }

    /// Waits until the encoder has ended.
    func join() {
        encoder?.join()
        encoder = nil
    }
}
