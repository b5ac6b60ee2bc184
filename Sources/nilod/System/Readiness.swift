import Basics

/// Calls back once, when all listeners listen.
final class Readiness: Sendable {
    private let missing: Locked<Int>
    private let tell: @Sendable () -> Void

    /// - Parameter count: how many there are to listen.
    init(of count: Int, tell: @escaping @Sendable () -> Void) {
        missing = Locked(count)
        self.tell = tell
    }

    /// One of them listens now.
    func note() {
        let isLast = missing.withLock { missing in
            missing -= 1
            return missing == 0
        }
        if isLast { tell() }
    }
}
