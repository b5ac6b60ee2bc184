import Basics
import DequeModule

/// A mutex for tasks, in first-in, first-out order; waiting tasks are suspended and block no thread.
final class AsyncMutex: Sendable {
    private struct State {
        var isLocked = false
        var waiters: Deque<CheckedContinuation<Void, Never>> = []
    }

    private let state = Locked(State())

    /// Runs `body` once all calls before it have returned.
    func withLock<T: Sendable>(_ body: () async throws -> T) async rethrows -> T {
        if PlantedBug.changesOverlap.isActive { return try await body() }
        await lock()
        defer { unlock() }
        return try await body()
    }

    private func lock() async {
        await withCheckedContinuation { continuation in
            let isAcquired = state.withLock { state in
                guard state.isLocked else {
                    state.isLocked = true
                    return true
                }
                state.waiters.append(continuation)
                return false
            }
            if isAcquired { continuation.resume() }
        }
    }

    private func unlock() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            let next = state.waiters.popFirst()
            if next == nil { state.isLocked = false }
            return next
        }
        next?.resume()
    }
}
