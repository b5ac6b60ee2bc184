import CSimulatedDisk
import Engine
import Forecasting
import Storage
import TimeSeries

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A machine with a daemon, its disk and its clock, the senders, watchers and operators around it, and the oracle that
/// knows what it has to hold: all of it in one thread, from one seed.
///
/// `@unchecked Sendable`: used only by the thread that runs the simulation.
public final class World: @unchecked Sendable {
    static let database = "/state/nilo.db"
    static let backup = "/backup/nilo.db"
    private static let start = Timestamp.from(seconds: 1_767_225_600)

    let plan: Plan
    let trace: Trace
    let clock: SimulatedClock
    let scheduler: Scheduler
    let machine: MemoryDisk
    let plugin = PluginState()
    let coverage: Coverage
    /// Where trainings exchange files.
    let folder: URL
    var settings: WorldSettings
    var oracle = Oracle()
    var daemon: Daemon?
    var senders: [Sender] = []
    var watching = Watching()
    var schedule = ScheduleCheck()
    /// The oracle and the outages as they were at the newest backup.
    var backedUp: (oracle: Oracle, outages: [Int64: Set<ClosedRange<Slot>>])?
    /// Whether disk faults were planned since the daemon started: only then it may die.
    var hasFaults = false
    /// When the clock was last wrong, by the monotonic clock; nil: never since the machine started.
    var clockWasWrong: Int64?
    private var wasClockEverWrong = false
    /// When a clock that had been right for long jumped, by the monotonic clock; nil once it is right again.
    var jumpedAt: Int64?
    /// The index of the current operation.
    var current = 0
    var failure: Failure?
    /// Whether bits of the database were flipped.
    var isRotten = false
    /// Whether a reload is under way.
    var isReloading = false
    /// Series whose removal was asked for and not confirmed.
    var forgetting: Set<String> = []
    /// Reads the database beside the living daemon.
    var inspector: Inspector?
    /// All outages ever stored, by epoch: the database forgets those that no replay reaches.
    var outages: [Int64: Set<ClosedRange<Slot>>] = [:]
    /// The index of the newest operation at which the plugin gave no answers.
    private var lastOutage = -1_000
    /// Replays of series, by the number of the series.
    var steppings: [Int64: (epoch: Int64, stepping: Stepping)] = [:]
    /// The versions that were compared, and the sizes of their weights.
    var models: [Int64: (model: ServedModel, specification: ForecastSpecification, size: Int)] = [:]

    public init(_ plan: Plan, coverage: Coverage, folder: URL, print: ((String) -> Void)? = nil) {
        self.plan = plan
        self.coverage = coverage
        self.folder = folder
        trace = Trace(print: print)
        var random = Random(seed: plan.seed ^ 0x5EED)
        clock = SimulatedClock(Self.start)
        scheduler = Scheduler(clock: clock)
        machine = MemoryDisk(seed: random.next())
        simulated_disk_seed_sqlite(UInt32(truncatingIfNeeded: random.next()) | 1)
        settings = WorldSettings(&random)
        makeSenders(&random)
    }

    private func makeSenders(_ random: inout Random) {
        let count = random.chance(0.1) ? random.in(100...300) : random.logarithmic(3...100)
        let names = (0..<count).map { WorldSettings.name(group: $0 % settings.groups.count, $0) }
        let parts = min(count, random.in(2...5))
        senders = (0..<parts).map { part in
            Sender(names: names.indices.filter { $0 % parts == part }.map { names[$0] })
        }
    }

    // MARK: Running

    /// Lets everything in the plan happen.
    ///
    /// - Returns: the first broken promise; nil if none was.
    public func run() -> Failure? {
        startDaemon()
        for (index, operation) in plan.operations.enumerated() where failure == nil {
            current = index
            scheduler.random = Random(seed: operation.seed ^ 0x0DD)
            var random = Random(seed: operation.seed)
            if let print = trace.print {
                print("\(index) \(operation.kind) \(operation.seed) at \(clock.trueTime.text)")
            }
            perform(operation.kind, &random)
            scheduler.run(random.below(12))
            lookAfterDaemon(&random)
            collectOutages()
        }
        current = plan.operations.count
        if failure == nil { finish() }
        if let daemon { tearDown(daemon, .init(SIMULATED_CRASH_KILL.rawValue)) }
        for (fault, count) in machine.delivered { coverage.note("disk: \(fault)", count) }
        return failure
    }

    /// Faults stop; everything has to come to rest, and to be the same after another start.
    private func finish() {
        var random = Random(seed: plan.seed ^ 0xE4D)
        heal()
        check(sample: nil)
        guard failure == nil else { return }
        restart(&random)
        check(sample: nil)
        if random.chance(0.25) { endWithBitRot(&random) }
    }

    /// Reads which outages were stored.
    ///
    /// - Parameter isSure: whether to read even if there should be no new ones.
    func collectOutages(isSure: Bool = false) {
        // For a while after the plugin is back, what it did not answer is still being stored.
        if plugin.isAbsent { lastOutage = current }
        guard isSure || current - lastOutage < 20, let found = try? inspector?.outages() else { return }
        for (epoch, slots) in found { outages[epoch, default: []].formUnion(slots) }
    }

    func fail(_ promise: String, _ details: String) {
        guard failure == nil else { return }
        failure = Failure(promise: promise, details: details, operation: current)
    }

    /// Everything that is wrong with the world is put right.
    func heal() {
        simulated_disk_clear_faults(machine.disk)
        simulated_disk_set_capacity(machine.disk, .max)
        plugin.isAbsent = false
        plugin.loads = true
        if clock.error != 0 { setClock(0) }
    }

    func setClock(_ error: Int64) {
        // A good clock that jumps must not be believed at once.
        jumpedAt = error != 0 && !isClockInDoubt ? clock.monotonic : nil
        clock.error = error
        wasClockEverWrong = true
        schedule.reset()
        clockWasWrong = clock.monotonic
    }

    /// Lets time pass.
    func pass(_ nanoseconds: Int64) {
        // An idle daemon looks at the clock every second.
        scheduler.tick()
        scheduler.advance(by: nanoseconds)
        scheduler.tick()
        simulated_disk_set_time(machine.disk, clock.now.nanoseconds)
    }

    /// Slow calls of the disk take time.
    func passDelays() {
        let delay = simulated_disk_take_delay(machine.disk)
        if delay > 0 { pass(Int64(clamping: delay)) }
    }

    // MARK: The daemon

    /// Starts a daemon on the disk as it is.
    func startDaemon() {
        var random = Random(seed: plan.seed ^ UInt64(current) &* 0x9E37 ^ 0x57A7)
        for attempt in 0..<3 {
            let start = DaemonStart()
            let methods = ForecasterModels.methods(plugin)
            let (configuration, clock, scheduler, disk) = (settings.engine, clock, scheduler, ProcessDisk(machine))
            let folder = folder
            Task {
                do {
                    start.result = .success(
                        try await Daemon(
                            disk: disk, methods: methods, configuration: configuration, clock: clock,
                            runtime: scheduler, folder: folder))
                } catch {
                    start.result = .failure(error)
                }
            }
            var steps = 0
            while start.result == nil, steps < 1_000_000, scheduler.step() || start.result == nil { steps += 1 }
            passDelays()
            switch start.result {
            case .success(let daemon) where daemon.fatal != nil:
                coverage.note("died at the start")
                trace.note("died at the start", [], daemon.fatal ?? "")
                tearDown(daemon, SIMULATED_CRASH_KILL)
                if isRotten { return }
                guard hasFaults else { return fail("no daemon dies without a fault", "at the start") }
                heal()
            case .success(let daemon):
                self.daemon = daemon
                coverage.note("daemon started")
                return daemonStarted(daemon)
            case .failure(let error):
                trace.note("start failed", [Int64(attempt)], "\(error)")
                coverage.note("start failed")
                machine.crash(.init(SIMULATED_CRASH_KILL.rawValue), seed: random.next())
                _ = scheduler.settle(limit: 100_000)
                // Damage has to be found, and may prevent the start.
                if isRotten { return }
                guard hasFaults else { return fail("a daemon starts on what it left", "\(error)") }
                heal()
            case nil: return fail("a start ends", "it took more than \(steps) steps")
            }
        }
        fail("a daemon starts once faults have ended", "it did not in three attempts")
    }

    private func daemonStarted(_ daemon: Daemon) {
        // What was planned for the process before.
        simulated_disk_clear_faults(machine.disk)
        hasFaults = false
        if isReloading { schedule.reset() }
        isReloading = false
        jumpedAt = nil
        // The database may remember a time that was ahead, and the clock seem unset for a while.
        if wasClockEverWrong { clockWasWrong = clock.monotonic }
        trace.note("started", [], daemon.engine.warnings.joined(separator: "; "))
        oracle.adopt { settings.rule(of: $0) }
        do {
            inspector = try Inspector(path: Self.database)
        } catch {
            fail("the database of a daemon can be read", "\(error)")
        }
        resolveDoubts(daemon)
        for sender in senders { sender.isPaused = false }
        watching.restarted()
    }

    /// A daemon that has died is started again.
    func lookAfterDaemon(_ random: inout Random) {
        passDelays()
        guard let daemon, let reason = daemon.fatal, failure == nil else { return }
        trace.note("died", [], reason)
        guard hasFaults else { return fail("no daemon dies without a fault", reason) }
        coverage.note("died of a fault")
        crash(.init(UInt32(random.below(3))), &random)
    }

    /// Ends a daemon's process without its knowledge.
    func tearDown(_ dead: Daemon, _ kind: SimulatedCrash) {
        inspector = nil
        machine.crash(kind, seed: plan.seed ^ UInt64(current))
        dead.isDead = true
        daemon = nil
        // What it still tries fails, and everybody who waits for an answer gets none.
        dead.tearDown()
        if !scheduler.settle(limit: 1_000_000) { fail("a dead daemon's callers get an answer", "some still wait") }
    }

    func crash(_ kind: SimulatedCrash, _ random: inout Random) {
        guard let dead = daemon else { return }
        trace.note("crash", [Int64(kind.rawValue)])
        tearDown(dead, kind)
        if kind != SIMULATED_CRASH_KILL { restartMachine(&random) }
        simulated_disk_clear_faults(machine.disk)
        simulated_disk_set_capacity(machine.disk, .max)
        if random.chance(0.2), !isReloading { downgrade(&random) }
        if random.chance(0.15) { damageCheckpoints() }
        planRecoveryFaults(&random)
        startDaemon()
        guard failure == nil else { return }
        check(sample: 12)
    }

    /// Sometimes recovery meets faults of its own.
    private func planRecoveryFaults(_ random: inout Random) {
        guard random.chance(0.25) else { return }
        hasFaults = true
        let kinds = [
            SIMULATED_FAULT_WRITE_ERROR, SIMULATED_FAULT_SYNC_ERROR, SIMULATED_FAULT_READ_ERROR, SIMULATED_FAULT_FULL,
            SIMULATED_FAULT_SHORT_WRITE, SIMULATED_FAULT_OPEN_ERROR, SIMULATED_FAULT_TRUNCATE_ERROR,
        ]
        simulated_disk_inject(
            machine.disk, random.pick(kinds), UInt64(random.pick([0, 0, random.below(60)])),
            random.chance(0.5) ? 1 : .max)
    }

    /// After a power failure, a clock without a battery shows 1970 until somebody sets it.
    private func restartMachine(_ random: inout Random) {
        clock.restartMachine()
        clockWasWrong = nil
        if random.chance(0.2) {
            coverage.note("clock unset")
            setClock(-clock.trueTime.nanoseconds)
        } else if clock.error != 0 {
            setClock(0)
        }
    }

    /// Stops the daemon in order and starts it again.
    func restart(_ random: inout Random) {
        guard let old = daemon else { return }
        (daemon, inspector) = (nil, nil)
        trace.note("stop")
        if random.chance(0.3) {
            hasFaults = true
            simulated_disk_inject(machine.disk, SIMULATED_FAULT_TRUNCATE_ERROR, 0, 1)
        }
        do {
            try old.engine.stop()
        } catch {
            trace.note("stop failed", [], "\(error)")
            if !hasFaults { fail("a stop closes the database", "\(error)") }
        }
        if !scheduler.settle(limit: 1_000_000) { fail("a stop answers all callers", "some still wait") }
        old.isDead = true
        machine.crash(.init(SIMULATED_CRASH_KILL.rawValue), seed: random.next())
        startDaemon()
    }
}

/// The outcome of a start, once it is known.
private final class DaemonStart: @unchecked Sendable {
    var result: Result<Daemon, any Error>?
}

extension World {
    /// A hash of everything that happened.
    public var hash: UInt64 { trace.hash }

    /// How much time has passed in the world.
    public var simulatedSeconds: Double { Double(clock.trueTime.nanoseconds(since: Self.start)) / 1e9 }

    public var summary: String {
        "\(oracle.series.count) series, \(oracle.lastPosition) positions, "
            + "\(clock.trueTime.nanoseconds(since: Self.start) / 86_400_000_000_000) days, \(scheduler.stepCount) steps"
    }
}
