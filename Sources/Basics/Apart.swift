import Dispatch

/// Runs `body`, which may block or take long, on a thread that nobody else needs: not the writer's, and none of the few
/// that all tasks share.
package func apart<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global(qos: .utility).async { continuation.resume(with: Result { try body() }) }
    }
}
