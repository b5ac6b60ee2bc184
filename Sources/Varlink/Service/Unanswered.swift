internal import Listening
import Synchronization

/// What we hold for a connection: the beginning of a message, unanswered calls and unread replies.
final class Unanswered: Sendable {
    private let callCount = Atomic(0)
    private let heldBytes = Atomic(0)
    private let unfinished: MemoryBudget.Share
    private let held: MemoryBudget.Share

    init(unfinished: MemoryBudget.Share, held: MemoryBudget.Share) {
        (self.unfinished, self.held) = (unfinished, held)
    }

    /// Complete calls that have no answer yet.
    var calls: Int { callCount.load(ordering: .relaxed) }

    /// - Parameters:
    ///   - calls: how many complete calls have arrived, with `bytes` in total.
    ///   - rest: bytes received of the next one.
    func arrived(_ calls: Int, bytes: Int, rest: Int) {
        callCount.add(calls, ordering: .relaxed)
        hold(bytes)
        unfinished.set(rest)
    }

    /// - Parameter bytes: the size of the frame without its NUL byte.
    func answered(bytes: Int) {
        callCount.subtract(1, ordering: .relaxed)
        hold(-bytes - 1)
    }

    /// - Parameter bytes: the size of a reply that waits for the peer; negative once it has been sent.
    func hold(_ bytes: Int) { held.set(heldBytes.add(bytes, ordering: .relaxed).newValue) }
}
