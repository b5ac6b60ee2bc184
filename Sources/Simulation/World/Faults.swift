import CSimulatedDisk
import Engine
import Storage

/// What befalls the disk and the power, and what backups are for.
extension World {
    func planFault(_ random: inout Random) {
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

    func crashNowOrSoon(_ random: inout Random) {
        let kind = SimulatedCrash(UInt32(random.below(3)))
        if random.chance(0.6) { breakOff(&random) }
        crash(kind, &random)
        // Machines that lose their power often lose it again, in the middle of what comes next.
        let again = random.chance(0.1) ? random.in(3...8) : random.pick([0, 0, 0, 1])
        for _ in 0..<again where failure == nil {
            perform(random.pick([.send, .send, .flood, .reload, .promote]), &random)
            breakOff(&random)
            crash(SimulatedCrash(UInt32(random.in(1...2))), &random)
        }
    }

    /// Lets the process die in the middle of something: from some write or sync on, nothing reaches the disk.
    private func breakOff(_ random: inout Random) {
        guard let daemon else { return }
        hasFaults = true
        if random.chance(0.5) {
            simulated_disk_inject(machine.disk, SIMULATED_FAULT_SYNC_ERROR, UInt64(random.below(3)), .max)
        } else {
            let after = UInt64(random.below(40))
            for fault in [SIMULATED_FAULT_WRITE_ERROR, SIMULATED_FAULT_SYNC_ERROR, SIMULATED_FAULT_TRUNCATE_ERROR] {
                simulated_disk_inject(machine.disk, fault, after, .max)
            }
        }
        var steps = 0
        while daemon.fatal == nil, steps < 60 {
            scheduler.step()
            steps += 1
        }
    }

    func backUp() {
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
    func restore(_ random: inout Random) {
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
        numbers = [:]
        watching.restored()
        schedule = ScheduleCheck()
        for sender in senders { sender.isInDoubt = false }
        coverage.note("restored")
        startDaemon()
        check(sample: 12)
    }
}
