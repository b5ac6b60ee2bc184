internal import Listening
import Synchronization

/// What a connection makes us hold: the beginning of a message, calls without an answer, and replies that nobody reads.
final class Unanswered: Sendable {
    private let callCount = Atomic(0)
    private let heldBytes = Atomic(0)
    private let unfinished: MemoryBudget.Share
    private let held: MemoryBudget.Share

    init(unfinished: MemoryBudget.Share, held: MemoryBudget.Share) {
        (self.unfinished, self.held) = (unfinished, held)
    }

    /// Whole calls that have no answer yet.
    var calls: Int { callCount.load(ordering: .relaxed) }

    /// - Parameters:
    ///   - calls: how many whole ones have come, of how many bytes.
    ///   - rest: bytes of the next one.
    func arrived(_ calls: Int, bytes: Int, rest: Int) {
        callCount.add(calls, ordering: .relaxed)
        hold(bytes)
        unfinished.set(rest)
    }

    /// - Parameter bytes: of the frame, without its end.
    func answered(bytes: Int) {
        callCount.subtract(1, ordering: .relaxed)
        hold(-bytes - 1)
    }

    /// - Parameter bytes: of a reply that waits for the peer; below zero once it has gone out.
    func hold(_ bytes: Int) { held.set(heldBytes.add(bytes, ordering: .relaxed).newValue) }
}
