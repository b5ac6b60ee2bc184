import Engine
import Glibc
import Synchronization

/// Threads that run tasks which may take long, apart from the few that all other tasks share; with less of the processor
/// than those where both want it.
///
/// `@unchecked Sendable`: `jobs` is guarded by `lock`.
final class TaskThreads: TaskExecutor, @unchecked Sendable {
    private var jobs: [UnownedJob] = []
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let notEmpty: UnsafeMutablePointer<pthread_cond_t>
    private static let niceness: Int32 = 5

    /// The threads live as long as the process.
    ///
    /// - Throws: ``EngineError/threadFailed(name:code:)``.
    init(count: Int) throws(EngineError) {
        (lock, notEmpty) = (.allocate(capacity: 1), .allocate(capacity: 1))
        pthread_mutex_init(lock, nil)
        pthread_cond_init(notEmpty, nil)
        for _ in 0..<count { try start() }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pthread_mutex_lock(lock)
        jobs.append(job)
        pthread_mutex_unlock(lock)
        pthread_cond_signal(notEmpty)
    }

    private func start() throws(EngineError) {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, nil,
            { raw in
                guard let raw else { return nil }
                Unmanaged<TaskThreads>.fromOpaque(raw).takeRetainedValue().work()
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            box.release()
            throw .threadFailed(name: "answers", code: code)
        }
        pthread_detach(thread)
    }

    private func work() {
        // In Linux niceness is a thread's own.
        let me = __priority_which_t(PRIO_PROCESS.rawValue)
        setpriority(me, 0, getpriority(me, 0) + Self.niceness)
        while true { next().runSynchronously(on: asUnownedTaskExecutor()) }
    }

    private func next() -> UnownedJob {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while jobs.isEmpty { pthread_cond_wait(notEmpty, lock) }
        return jobs.removeFirst()
    }
}
