import Basics

/// A part of the engine that does its work in steps: the writer, a shard, the encoder of chunks.
package protocol Worker: AnyObject, Sendable {
    /// Does what there is to do, or a part of it.
    ///
    /// - Parameter mayWait: whether to block until there is something to do.
    /// - Returns: false once the worker has ended.
    func step(mayWait: Bool) -> Bool

    /// Whether a step that does not wait would find nothing to do.
    var isIdle: Bool { get }
}

/// A worker that was started.
package protocol RunningWorker: Sendable {
    /// Waits until the worker has ended.
    func join()
}

/// What drives the engine's parts: threads, or a simulation that takes all their steps in one thread.
package protocol Runtime: Sendable {
    /// Starts taking the steps of `worker`.
    ///
    /// - Parameters:
    ///   - name: the name that tools show; the system keeps the first 15 bytes.
    ///   - niceness: added to the process' own, see ``OwnedThread``.
    func start(_ worker: any Worker, name: String, niceness: Int32) throws(EngineError) -> any RunningWorker

    /// Called before the caller blocks until `worker` has taken messages from its full mailbox.
    func willWait(for worker: any Worker)

    /// Runs `body`, which may block or take long, where nobody waits for it but the caller.
    func apart<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T

    /// Lets other tasks run first.
    func pause() async
}

/// Runs each worker on a thread of its own.
package struct ThreadRuntime: Runtime {
    package init() {}

    package func start(
        _ worker: any Worker, name: String, niceness: Int32
    ) throws(EngineError) -> any RunningWorker {
        try OwnedThread(name: name, niceness: niceness) { while worker.step(mayWait: true) {} }
    }

    package func willWait(for worker: any Worker) {}

    package func apart<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await Basics.apart(body)
    }

    package func pause() async { await Task.yield() }
}
