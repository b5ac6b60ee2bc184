import CSimulatedDisk
import Engine
import Storage
import TimeSeries

/// What each operation does.
extension World {
    func perform(_ kind: Operation.Kind, _ random: inout Random) {
        switch kind {
        case .send: send(&random) { $0.makeBatch(now: $1, $2, &$3) }
        case .sendOdd: send(&random) { $0.makeOddBatch(now: $1, $2, &$3) }
        case .flood: send(&random) { $0.makeFlood(now: $1, $2, &$3) }
        case .wait: pass(Int64(random.logarithmic(1...600)) * WorldSettings.second)
        case .pass: passMuch(&random)
        case .ask: ask(&random)
        case .watch: watch(&random)
        case .promote, .rollBack, .reset: changeModels(kind, &random)
        case .reload: reload(&random)
        case .train: train(&random)
        case .forget: forget(&random)
        case .expire: expire()
        case .plugin: changePlugin(&random)
        case .clock: changeClock(&random)
        case .fault: planFault(&random)
        case .heal: heal()
        case .crash: crashNowOrSoon(&random)
        case .restart: restart(&random)
        case .backUp: backUp()
        case .restore: restore(&random)
        case .check: check(sample: 12)
        }
    }

    /// Runs `body` with the daemon, as a task of its own.
    func withDaemon(_ body: @escaping @Sendable (Daemon) async throws -> Void) {
        guard let daemon else { return }
        Task {
            do {
                try await body(daemon)
            } catch {
                self.noteError(error, of: daemon)
            }
        }
    }

    /// An operation was refused: that is part of what happens, and never a failure in itself.
    private func noteError(_ error: any Error, of daemon: Daemon) {
        if !daemon.isDead { trace.note("refused", [], "\(error)") }
    }

    // MARK: Time

    private func passMuch(_ random: inout Random) {
        let hours = random.pick([1, 1, 3, 6, 12, 24, 24 * 10, 24 * 365])
        coverage.note(hours > 1_000 ? "a year passed" : "hours passed")
        // In steps, between which what is due runs.
        for _ in 0..<4 {
            pass(Int64(hours) * 900 * WorldSettings.second)
            scheduler.run(20)
            checkSchedule()
        }
    }

    private func changeClock(_ random: inout Random) {
        guard clock.error == 0 else {
            coverage.note("clock set right")
            return setClock(0)
        }
        let seconds = random.pick([-86_400 * 365, -7_200, -600, -90, 30, 90, 600, 7_200, 86_400 * 400])
        coverage.note(seconds < 0 ? "clock jumped back" : "clock jumped ahead")
        setClock(Int64(seconds) * WorldSettings.second)
    }

    // MARK: Disk

    private func planFault(_ random: inout Random) {
        let kinds = [
            SIMULATED_FAULT_SHORT_WRITE, SIMULATED_FAULT_FULL, SIMULATED_FAULT_FULL, SIMULATED_FAULT_READ_ERROR,
            SIMULATED_FAULT_WRITE_ERROR, SIMULATED_FAULT_TRUNCATE_ERROR, SIMULATED_FAULT_SYNC_ERROR,
            SIMULATED_FAULT_SLOW,
        ]
        let kind = random.pick(kinds)
        hasFaults = true
        trace.note("fault", [Int64(kind.rawValue)])
        let count: UInt64 = random.chance(0.6) ? 1 : random.chance(0.7) ? UInt64(random.in(2...40)) : .max
        simulated_disk_inject(machine.disk, kind, UInt64(random.below(80)), count)
    }

    private func crashNowOrSoon(_ random: inout Random) {
        let kind = SimulatedCrash(UInt32(random.below(3)))
        if random.chance(0.6), let daemon {
            // Nothing reaches the disk from some write on: the process dies in the middle of something.
            hasFaults = true
            let after = UInt64(random.below(40))
            for fault in [
                SIMULATED_FAULT_WRITE_ERROR, SIMULATED_FAULT_SYNC_ERROR, SIMULATED_FAULT_TRUNCATE_ERROR,
            ] {
                simulated_disk_inject(machine.disk, fault, after, .max)
            }
            var steps = 0
            while daemon.fatal == nil, steps < 60 {
                scheduler.step()
                steps += 1
            }
        }
        crash(kind, &random)
    }

    private func backUp() {
        guard let daemon else { return }
        simulated_disk_remove(machine.disk, Self.backup)
        simulated_disk_remove(machine.disk, Self.backup + "-journal")
        do {
            try daemon.store.backup(to: Self.backup) { _ in }
            simulated_disk_sync(machine.disk, Self.backup)
            // What is committed and not yet acknowledged may be in it.
            let isCertain = !senders.contains(where: \.isSending) && forgetting.isEmpty && !isReloading
            backedUp = isCertain ? (oracle, outages) : nil
            coverage.note("backed up")
        } catch {
            backedUp = nil
            trace.note("backup failed", [], "\(error)")
        }
    }

    /// Somebody puts the newest backup into an empty folder, and starts a daemon on it.
    private func restore(_ random: inout Random) {
        guard let old = daemon, let before = backedUp else { return }
        tearDown(old, SIMULATED_CRASH_KILL)
        for path in machine.paths where path.hasPrefix(Self.database) { simulated_disk_remove(machine.disk, path) }
        simulated_disk_clear_faults(machine.disk)
        simulated_disk_copy(machine.disk, Self.backup, Self.database)
        simulated_disk_sync(machine.disk, Self.database)
        oracle = before.oracle
        steppings = [:]
        models = [:]
        outages = before.outages
        watching.restored()
        schedule = ScheduleCheck()
        for sender in senders { sender.isInDoubt = false }
        coverage.note("restored")
        startDaemon()
        check(sample: 12)
    }

    // MARK: Models and configuration

    private func changeModels(_ kind: Operation.Kind, _ random: inout Random) {
        let forecaster = random.pick(settings.forecasters).name
        let number = random.in(1...4)
        let name = random.pick(senders[random.below(senders.count)].names)
        let isWarm = random.chance(0.5)
        withDaemon { daemon in
            switch kind {
            case .promote: _ = try await daemon.engine.promote(forecaster, number: number)
            case .rollBack: _ = try await daemon.engine.rollBack(forecaster)
            default: try await daemon.engine.reset(name, isWarm: isWarm)
            }
            self.coverage.note("\(kind)")
            self.trace.note("changed", [], "\(kind)")
        }
    }

    private func reload(_ random: inout Random) {
        guard !isReloading else { return }
        var changed = settings
        let regridded = changed.change(&random)
        let affected = senders.filter { $0.names.contains { regridded.contains(WorldSettings.group(of: $0)) } }
        // Whether a reading comes before or after a change of its slots must be known.
        guard regridded.isEmpty || !affected.contains(where: { $0.isSending || $0.isInDoubt }) else { return }
        for sender in affected { sender.isPaused = true }
        isReloading = true
        let (old, new) = (settings, changed)
        settings = new
        withDaemon { daemon in
            defer { if !daemon.isDead { self.endReload(affected) } }
            do {
                let (count, _) = try await daemon.engine.reload(new.engine)
                guard !daemon.isDead else { return }
                self.oracle.adopt { new.rule(of: $0) }
                // What was due by the old rule or zone may still come.
                self.schedule.reset()
                self.trace.note("reloaded", [Int64(count)])
                self.coverage.note(regridded.isEmpty ? "reloaded" : "reloaded with another cadence")
            } catch {
                if !daemon.isDead, daemon.fatal == nil { self.settings = old }
                throw error
            }
        }
    }

    private func endReload(_ affected: [Sender]) {
        isReloading = false
        for sender in affected { sender.isPaused = false }
    }

    private func train(_ random: inout Random) {
        let forecaster = random.pick(settings.forecasters).name
        let trainer = Trainer(outcome: random.pick(Trainer.Outcome.allCases), choice: random.below(3))
        withDaemon { daemon in
            daemon.trainer = trainer
            for await event in try await daemon.retraining.request(forecaster) {
                switch event {
                case .finished(let version, let promoted, _):
                    let outcome = daemon.launched.outcome
                    if [.loses, .nanScores].contains(outcome), promoted > 0 {
                        self.fail("no worse model is promoted", "version \(version), \(outcome)")
                    }
                    self.coverage.note("trained, \(trainer.outcome)")
                    self.trace.note("trained", [Int64(version), Int64(promoted)])
                case .failed(let reason):
                    self.coverage.note("training failed, \(trainer.outcome)")
                    self.trace.note("training failed", [], reason)
                default: break
                }
            }
        }
    }

    private func forget(_ random: inout Random) {
        let sender = random.pick(senders)
        guard !sender.isSending, !sender.isInDoubt, !sender.isPaused else { return }
        let names = Set((0..<random.in(1...3)).map { _ in random.pick(sender.names) })
        sender.isPaused = true
        let before = daemon
        withDaemon { daemon in
            defer { if !daemon.isDead { sender.isPaused = false } }
            for name in names.sorted() {
                self.forgetting.insert(name)
                _ = try await daemon.engine.forget(SeriesSelector(name))
                self.hasForgotten([name])
            }
            self.coverage.note("forgot")
        }
        if before == nil { sender.isPaused = false }
    }

    /// Series are gone.
    func hasForgotten(_ names: Set<String>) {
        forgetting.subtract(names)
        oracle.forget(names)
        watching.forget(names)
        for sender in senders { sender.forget(names) }
        trace.note("forgotten", [Int64(names.count)])
    }

    private func expire() {
        withDaemon { daemon in
            _ = try await daemon.engine.expireNow()
            self.coverage.note("expired")
        }
    }

    private func changePlugin(_ random: inout Random) {
        if plugin.isAbsent || !plugin.loads {
            plugin.isAbsent = false
            plugin.loads = true
            withDaemon { daemon in
                let count = try await daemon.engine.retryModels()
                self.trace.note("retried", [Int64(count)])
                if count > 0 { self.coverage.note("models came back") }
            }
        } else {
            plugin.loads = random.chance(0.7)
            plugin.isAbsent = true
        }
        coverage.note(plugin.isAbsent ? plugin.loads ? "plugin hangs" : "plugin does not start" : "plugin is back")
    }

    // MARK: Questions

    private func ask(_ random: inout Random) {
        let name = random.pick(senders[random.below(senders.count)].names)
        let choice = random.below(6)
        let time = clock.trueTime.advanced(byNanoseconds: Int64(random.in(-100...100)) * 60 * WorldSettings.second)
        withDaemon { daemon in
            let engine = daemon.engine
            switch choice {
            case 0: _ = try await engine.forecast(of: name)
            case 1: _ = try await engine.forecast(of: name, asOf: time)
            case 2: _ = try await engine.state(of: name)
            case 3: _ = try await engine.series(.all)
            case 4: _ = try await engine.scores(SeriesSelector(name), in: .distantPast ... .distantFuture)
            default:
                _ = engine.cachedForecast(of: name)
                _ = try await engine.explanation(of: name)
            }
            self.coverage.note("asked")
        }
    }
}
