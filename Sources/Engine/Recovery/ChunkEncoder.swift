import Storage
import TimeSeries

/// Encodes the chunks of a seal, beside the writer, which takes them from ``pieces``.
///
/// `@unchecked Sendable`: everything but `pieces` is used only by the thread that takes its steps.
final class ChunkEncoder: Worker, @unchecked Sendable {
    enum Piece: Sendable {
        case series(SealedSeries)
        /// The end of the stream; nil: without an error.
        case end((any Error)?)
    }

    /// The chunks, by series; closed when the writer wants no more.
    let pieces = Mailbox<Piece>(capacity: 256)
    private let store: Store
    private let end: JournalPosition
    /// nil: not begun.
    private var preparation: SealPreparation?

    /// - Parameter end: the journal position up to which readings are sealed.
    init(store: Store, through end: JournalPosition) { (self.store, self.end) = (store, end) }

    /// Whether the writer has to take pieces first, because posting would block.
    var isIdle: Bool { pieces.room < SealPreparation.seriesPerRead }

    /// Encodes the chunks of some series.
    ///
    /// - Returns: false after the last, after an error, and once ``pieces`` is closed.
    func step(mayWait: Bool) -> Bool {
        if !mayWait, isIdle { return true }
        do {
            var current = try preparation ?? store.prepareSeal(through: end)
            let batch = try current.next()
            preparation = current
            for sealed in batch ?? [] { guard pieces.post(.series(sealed)) else { return false } }
            if batch == nil { pieces.post(.end(nil)) }
            return batch != nil
        } catch {
            pieces.post(.end(error))
            return false
        }
    }
}
