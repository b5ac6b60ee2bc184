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
    private(set) var wasClockEverWrong = false
    /// When a clock that had been right for long jumped, by the monotonic clock; nil once it is right again.
    var jumpedAt: Int64?
    /// The index of the current operation.
    var current = 0
    var failure: Failure?
    /// Whether bits of the database were flipped.
    var isRotten = false
    /// Whether a reload is under way.
    var isReloading = false
    /// The numbers under which the database knows the series, as far as they are known.
    var numbers: [String: Int64] = [:]
    /// Series whose removal was asked for and not confirmed.
    var forgetting: Set<String> = []
    /// Reads the database beside the living daemon.
    var inspector: Inspector?
    /// All outages ever stored, by epoch: the database forgets those that no replay reaches.
    var outages: [Int64: Set<ClosedRange<Slot>>] = [:]
    /// The index of the newest operation at which the plugin gave no answers.
    private var lastOutage = -1_000
    /// The newest epoch when the scores were last removed, with an old schema; nil: never.
    var scoresLost: Int64?
    /// Replays of series, by the number of the series.
    var steppings: [Int64: (epoch: Int64, stepping: Stepping)] = [:]
    /// The versions that were compared, and the sizes of their weights.
    var models: [Int64: LoadedModel] = [:]

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
            Sender(
                names: names.indices.filter { $0 % parts == part }.map { names[$0] }, writesLines: random.chance(0.5))
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
}

/// A version's model, loaded apart from the daemon.
struct LoadedModel {
    var model: ServedModel
    var specification: ForecastSpecification
    var forecaster: String
    /// The size of its weights, in bytes.
    var size: Int
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
