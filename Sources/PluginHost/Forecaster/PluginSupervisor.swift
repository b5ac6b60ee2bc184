import Basics
import ControlInterface
import Dispatch
import Forecasting
import Varlink

/// A model that must be loaded whenever the plugin's process runs.
struct ModelRequest: Sendable {
    /// The name of the model on the wire.
    var name: String
    var specification: ForecastSpecification
    /// The path of the weights; nil for a method without weights.
    var weights: String?
    /// The plugin's description of the model when it was first loaded; it must stay the same.
    var reply: ForecasterInterface.Load.Reply?
}

/// Keeps one plugin's process running: starts it when a model needs it, loads the models, and after any failure kills
/// and restarts it, with a growing delay and without a limit on the number.
///
/// A step never waits for a process that is not running. All starting and loading happens on `queue`.
final class PluginSupervisor: Sendable {
    let plugin: PluginManifest
    private let launcher: String
    private let log: @Sendable (String) -> Void
    private let queue: DispatchQueue
    private let state = Locked(State())

    private enum Phase {
        case idle, starting, waiting, stopped
        case ready(PluginProcess)
    }

    private struct State {
        var phase = Phase.idle
        /// The number of the current process, to tell to which process a failure belongs.
        var generation = 0
        var models: [String: ModelRequest] = [:]
        /// The models that are loaded in the process.
        var loaded: Set<String> = []
        /// Whether a model is being loaded into a running process, and whether a step of another model has already
        /// timed out waiting for that: the next ones then fail at once.
        var isLoading = false
        var failsFast = false
        var backoff = Backoff()
        var counts = PluginCounts()
        /// Steps that the current process has answered.
        var answered = 0
        /// Trial steps that the next process must take with each model.
        var trials = 1
    }

    /// After running for this long without a failure, earlier failures no longer count.
    private static let probation = Duration.seconds(60)
    /// How long a shard may wait in vain for a failing step without consequences: with the backoff there are at most
    /// ten failures in the first minute, together less than 1 % of it.
    private static let tolerance = Duration.milliseconds(50)
    /// The most trial steps; each takes a model some microseconds or milliseconds.
    private static let maximumTrials = 100

    init(_ plugin: PluginManifest, launcher: String, log: @escaping @Sendable (String) -> Void) {
        (self.plugin, self.launcher, self.log) = (plugin, launcher, log)
        queue = DispatchQueue(label: "plugin-\(plugin.manifest.name)")
    }

    // MARK: On any thread

    /// Loads a model that was never loaded before, and registers it. Blocks.
    ///
    /// - Throws: the plugin's error, or why it did not answer.
    func load(_ request: ModelRequest) throws -> ForecasterInterface.Load.Reply {
        // The caller's thread may block; the wait is limited in case the plugin takes too long.
        let (done, answer) = (DispatchSemaphore(value: 0), Answer())
        queue.async { [self] in
            let result = Result { try firstLoad(request) }
            answer.result.withLock { $0 = result }
            done.signal()
        }
        let timeout = max(1, plugin.startup / .seconds(1))
        guard done.wait(timeout: .now() + 3 * timeout) == .success, let result = answer.result.withLock({ $0 }) else {
            throw PluginHostError.notReady(plugin: plugin.manifest.name, reason: "it takes too long to start")
        }
        return try result.get()
    }

    private final class Answer: Sendable {
        let result = Locked<Result<ForecasterInterface.Load.Reply, any Error>?>(nil)
    }

    /// Registers a model that was loaded before.
    ///
    /// Waits until the process has loaded it or has failed, so that a following replay finds it.
    func register(_ request: ModelRequest) {
        // As in ``load(_:)``, the wait is limited.
        let done = DispatchSemaphore(value: 0)
        queue.async { [self] in
            defer { done.signal() }
            state.withLock { $0.models[request.name] = request }
            switch state.withLock({ $0.phase }) {
            case .idle: start()
            case .ready(let process): load(request, into: process)
            default: break
            }
        }
        _ = done.wait(timeout: .now() + 2 * max(1, plugin.startup / .seconds(1)))
    }

    func drop(_ model: String) {
        queue.async { [self] in
            let found = state.withLock { state -> (process: PluginProcess, generation: Int)? in
                state.models[model] = nil
                guard state.loaded.remove(model) != nil, case .ready(let process) = state.phase else { return nil }
                return (process, state.generation)
            }
            guard let found else { return }
            do {
                try whileLoading { try found.process.channel.unload(model, within: plugin.startup) }
            } catch is VarlinkError {
                // It does not know the model, but it works.
            } catch {
                fail(generation: found.generation, found.process, error)
            }
        }
    }

    /// Runs one call for `rows` rows of a model, on a shard's thread.
    ///
    /// - Returns: whether there was an answer; false at once without a running process, else within the deadline.
    func step(_ model: String, rows: Int, _ body: (PluginChannel) throws -> Void) -> Bool {
        let found = state.withLock { state -> (process: PluginProcess, generation: Int)? in
            guard case .ready(let process) = state.phase, state.loaded.contains(model), !state.failsFast else {
                return nil
            }
            state.counts.calls += 1
            return (process, state.generation)
        }
        let started = ContinuousClock.now
        do {
            guard let found else { throw PluginHostError.busy }
            try body(found.process.channel)
            state.withLock { $0.answered += 1 }
            return true
        } catch {
            state.withLock { state in
                state.counts.absent += rows
                state.failsFast = state.isLoading
            }
            if let found, error as? PluginHostError != .busy {
                fail(generation: found.generation, found.process, error, held: .now - started)
            }
            return false
        }
    }

    var report: PluginReport {
        state.withLock { state in
            let (word, pid): (String, Int32?) =
                switch state.phase {
                case .idle: ("idle", nil)
                case .starting: ("starting", nil)
                case .waiting: ("waiting", nil)
                case .stopped: ("stopped", nil)
                case .ready(let process): ("ready", process.child.pid)
                }
            return PluginReport(
                name: plugin.manifest.name, version: plugin.manifest.version, folder: plugin.folder, state: word,
                pid: pid, models: state.models.count, counts: state.counts)
        }
    }

    /// Ends the process permanently, and waits until it is gone.
    func stop() {
        let process = state.withLock { state -> PluginProcess? in
            defer { state.phase = .stopped }
            if case .ready(let process) = state.phase { return process }
            return nil
        }
        process?.end()
        process?.child.waitUntilOver(within: .seconds(5))
    }

    // MARK: On the queue

    private func firstLoad(_ request: ModelRequest) throws -> ForecasterInterface.Load.Reply {
        if case .ready = state.withLock({ $0.phase }) {} else { start() }
        guard case .ready(let process) = state.withLock({ $0.phase }) else {
            let reason = state.withLock { $0.counts.lastError } ?? "it has not started"
            throw PluginHostError.notReady(plugin: plugin.manifest.name, reason: reason)
        }
        do {
            var request = request
            let reply = try whileLoading {
                try process.load(request.name, request.specification, weights: request.weights, plugin)
            }
            request.reply = reply
            state.withLock { state in
                state.models[request.name] = request
                state.loaded.insert(request.name)
            }
            return reply
        } catch let error as VarlinkError {
            // It refused, but it works.
            throw error
        } catch {
            fail(generation: state.withLock { $0.generation }, process, error)
            throw error
        }
    }

    private func start() {
        let generation = state.withLock { state -> Int? in
            if case .stopped = state.phase { return nil }
            state.phase = .starting
            state.answered = 0
            state.generation += 1
            return state.generation
        }
        guard let generation else { return }
        var process: PluginProcess?
        do {
            let started = try PluginProcess(plugin, launcher: launcher, line: log) { [weak self] status in
                self?.ended(generation: generation, status)
            }
            process = started
            try started.handshake(plugin)
            let (requests, trials) = state.withLock { (Array($0.models.values), $0.trials) }
            for request in requests { try restore(request, in: started, trials: trials) }
            let isWanted = state.withLock { state -> Bool in
                guard case .starting = state.phase, state.generation == generation else { return false }
                state.phase = .ready(started)
                return true
            }
            if !isWanted { started.end() }
        } catch {
            process?.end()
            wait(generation: generation, "\(error)")
        }
    }

    /// Loads a model into a process.
    private func restore(_ request: ModelRequest, in process: PluginProcess, trials: Int = 1) throws {
        do {
            let reply = try process.load(
                request.name, request.specification, weights: request.weights, plugin, trials: trials)
            guard request.reply == nil || request.reply == reply else {
                throw PluginHostError.brokenContract(
                    expected: "the model that Load described before", found: "another; give it another version")
            }
            state.withLock { _ = $0.loaded.insert(request.name) }
        } catch let error as VarlinkError {
            // It refuses this model now; the others may work.
            state.withLock { $0.counts.lastError = "\(error)" }
        }
    }

    private func load(_ request: ModelRequest, into process: PluginProcess) {
        do {
            try whileLoading { try restore(request, in: process) }
        } catch {
            fail(generation: state.withLock { $0.generation }, process, error)
        }
    }

    private func whileLoading<T>(_ body: () throws -> T) rethrows -> T {
        state.withLock { $0.isLoading = true }
        defer { state.withLock { ($0.isLoading, $0.failsFast) = (false, false) } }
        return try body()
    }

    private func restart() {
        let isDue = state.withLock { state in
            if case .waiting = state.phase, !state.models.isEmpty { true } else { false }
        }
        if isDue { start() }
    }

    // MARK: Failures, on any thread

    /// - Parameter held: how long a shard has waited in vain.
    private func fail(generation: Int, _ process: PluginProcess, _ error: any Error, held: Duration = .zero) {
        process.end()
        state.withLock { state in
            guard state.generation == generation else { return }
            if ContinuousClock.now - process.started > Self.probation { (state.backoff, state.trials) = (Backoff(), 1) }
            // The next process must get past the failed step on trial, while nobody waits.
            if held >= min(plugin.deadline, Self.tolerance) {
                state.trials = max(state.trials, min(state.answered + 2, Self.maximumTrials))
            }
        }
        wait(generation: generation, "\(error)")
    }

    private func ended(generation: Int, _ status: ExitStatus) {
        let wasAlive = state.withLock { state in
            guard state.generation == generation else { return true }
            // The caller on the socket has only seen it close; the exit status says more.
            let before = state.counts.lastError.map { "; \($0)" } ?? ""
            if case .ready = state.phase { return true }
            if case .waiting = state.phase, !status.isStopped {
                state.counts.lastError = "its process ended with \(status)\(before)"
            }
            return false
        }
        if wasAlive { wait(generation: generation, "its process ended with \(status)") }
    }

    /// Schedules the next start; only for the current process, and once.
    private func wait(generation: Int, _ reason: String) {
        let pause = state.withLock { state -> Double? in
            guard state.generation == generation else { return nil }
            switch state.phase {
            case .ready, .starting: break
            default: return nil
            }
            state.phase = .waiting
            state.loaded = []
            state.counts.restarts += 1
            state.counts.lastError = reason
            return state.backoff.next()
        }
        guard let pause else { return }
        // Without models there is nothing to restart for; loading a model starts it again.
        guard state.withLock({ !$0.models.isEmpty }) else { return log(reason) }
        log("\(reason); its next start is in \(Int(pause * 1_000)) ms")
        queue.asyncAfter(deadline: .now() + pause) { [weak self] in self?.restart() }
    }
}
