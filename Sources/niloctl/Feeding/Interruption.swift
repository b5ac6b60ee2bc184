import Glibc
import Synchronization

/// Ctrl-C and SIGTERM, once: what is on its way is finished first. The second one ends the program at once.
enum Interruption {
    private static let flag = Atomic(false)

    static var hasCome: Bool { flag.load(ordering: .relaxed) }

    /// From now on the first signal only sets ``hasCome`` and wakes a read that waits.
    static func arm() {
        // Made here, because a signal handler may not make it.
        flag.store(false, ordering: .relaxed)
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in Interruption.flag.store(true, ordering: .relaxed) }
        action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND))
        for signal in [SIGINT, SIGTERM] { sigaction(signal, &action, nil) }
    }
}
