import CTaskHooks
import Engine
import Glibc

/// Takes the steps of everything that runs: of the engine's workers and of all tasks, one at a time, in an order that a
/// seed decides.
///
/// `@unchecked Sendable`: used only by the thread that runs the simulation.
final class Scheduler: @unchecked Sendable {
    /// A worker that was started.
    final class Running: RunningWorker, @unchecked Sendable {
        let worker: any Worker
        var isAlive = true

        init(_ worker: any Worker) { self.worker = worker }

        func step() { if isAlive { isAlive = worker.step(mayWait: false) } }

        func join() { while isAlive { step() } }
    }

    private struct Sleeper {
        var continuation: CheckedContinuation<Void, Never>
        var wakesAt: Int64
    }

    let clock: SimulatedClock
    var random = Random(seed: 0)
    private(set) var stepCount = 0
    private var jobs: [UnsafeMutableRawPointer] = []
    private var paused: [CheckedContinuation<Void, Never>] = []
    private var sleepers: [Sleeper] = []
    private var workers: [Running] = []

    /// The scheduler that receives the jobs of all tasks.
    nonisolated(unsafe) private static var thread = pthread_self()
    nonisolated(unsafe) private static var current: Scheduler?

    init(clock: SimulatedClock) {
        self.clock = clock
        let isFirst = Self.current == nil
        Self.current = self
        if isFirst { task_hooks_install { job in if let job { Scheduler.current?.receive(job) } } }
    }

    private func receive(_ job: UnsafeMutableRawPointer) {
        precondition(pthread_equal(pthread_self(), Self.thread) != 0, "a job came from another thread")
        jobs.append(job)
    }

    /// Takes one step of something that has one to take.
    ///
    /// - Returns: false if nothing has.
    @discardableResult
    func step() -> Bool {
        wakeSleepers()
        let busy = workers.filter { $0.isAlive && !$0.worker.isIdle }
        // A worker without messages may still have something to do beside them.
        let idle = random.chance(0.1) ? workers.filter { $0.isAlive && $0.worker.isIdle } : []
        let count = jobs.count + paused.count + busy.count + idle.count
        guard count > 0 else { return false }
        stepCount += 1
        let choice = random.below(count)
        if choice < jobs.count {
            let job = jobs.remove(at: choice)
            task_hooks_run(job)
        } else if choice < jobs.count + paused.count {
            paused.remove(at: choice - jobs.count).resume()
        } else {
            let chosen = choice - jobs.count - paused.count
            (chosen < busy.count ? busy[chosen] : idle[chosen - busy.count]).step()
        }
        if workers.contains(where: { !$0.isAlive }) { workers.removeAll { !$0.isAlive } }
        return jobs.count + paused.count + busy.count > 0
    }

    /// Takes at most `limit` steps.
    func run(_ limit: Int) { for _ in 0..<limit where !step() { return } }

    /// Takes steps until nothing has any left, or until `isOver`.
    ///
    /// - Returns: false if `limit` steps did not suffice.
    func settle(limit: Int, until isOver: () -> Bool = { false }) -> Bool {
        for _ in 0..<limit {
            if isOver() { return true }
            guard !step() else { continue }
            // What workers do beside their messages shows only when they are asked.
            let before = stepCount
            for running in workers { running.step() }
            workers.removeAll { !$0.isAlive }
            stepCount = before + 1
            if jobs.isEmpty, paused.isEmpty, workers.allSatisfy(\.worker.isIdle) { return true }
        }
        return false
    }

    /// Lets every worker without messages do what it does beside them.
    func tick() {
        for running in workers where running.worker.isIdle { running.step() }
        workers.removeAll { !$0.isAlive }
    }

    /// Lets time pass, and wakes what slept until then.
    func advance(by nanoseconds: Int64) {
        clock.advance(by: nanoseconds)
        wakeSleepers()
    }

    private func wakeSleepers() {
        guard !sleepers.isEmpty else { return }
        let now = clock.monotonic
        for sleeper in sleepers where sleeper.wakesAt <= now { sleeper.continuation.resume() }
        sleepers.removeAll { $0.wakesAt <= now }
    }
}

extension Scheduler: Runtime {
    func start(_ worker: any Worker, name: String, niceness: Int32) throws(EngineError) -> any RunningWorker {
        let running = Running(worker)
        workers.append(running)
        return running
    }

    /// The other thread would run meanwhile.
    func willWait(for worker: any Worker) { workers.first { $0.worker === worker }?.step() }

    func apart<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        await pause()
        return try body()
    }

    /// `Task.yield()` and `Task.sleep()` would go to threads of the system, past the hooks.
    func pause() async { await withCheckedContinuation { paused.append($0) } }

    /// Suspends the calling task until simulated time has passed, or until ``wakeAll()``.
    func sleep(nanoseconds: Int64) async {
        await withCheckedContinuation { continuation in
            sleepers.append(Sleeper(continuation: continuation, wakesAt: clock.monotonic + nanoseconds))
        }
    }

    /// Ends every sleep, as the end of a process does.
    func wakeAll() {
        for sleeper in sleepers { sleeper.continuation.resume() }
        sleepers = []
    }
}
