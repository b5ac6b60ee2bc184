import Glibc
import Synchronization

/// Handles the first Ctrl-C or SIGTERM: the piece being sent is finished first. A second one ends the program at once.
enum Interruption {
    private static let flag = Atomic(false)

    static var isPending: Bool { flag.load(ordering: .relaxed) }

    /// Installs the handler: the first signal only sets ``isPending`` and interrupts a waiting read.
    static func arm() {
        // Initialised here, because a signal handler must not do that.
        flag.store(false, ordering: .relaxed)
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in Interruption.flag.store(true, ordering: .relaxed) }
        action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND))
        for signal in [SIGINT, SIGTERM] { sigaction(signal, &action, nil) }
    }
}
