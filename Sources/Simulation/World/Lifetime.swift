import CSimulatedDisk
import Engine

/// The beginning and the end of the daemon's process, and of the machine it runs on.
extension World {
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
                            runtime: scheduler, folder: folder, onNotice: { self.trace.note("told", [], "\($0)") }))
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
            inspector = try Inspector(path: Self.database, on: machine)
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
        // What it claimed is not known.
        if dead.isChecking { schedule.reset() }
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
        check(sample: 6)
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
        // What it claims and can no longer tell is not known.
        if old.isChecking { schedule.reset() }
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
