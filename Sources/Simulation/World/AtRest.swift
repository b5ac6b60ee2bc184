import CSimulatedDisk
import Engine
import Storage
import TimeSeries

/// What may happen to a database while no daemon runs: an older daemon's schema, and bits that flip.
extension World {
    /// Turns the database back to an older schema, as if an older daemon had written it.
    func downgrade(_ random: inout Random) {
        do {
            let downgrade = Downgrade(path: Self.database)
            let oldest = try downgrade.oldestPossible()
            let schema = random.in(oldest...8)
            let epoch = try downgrade.newestEpoch()
            try downgrade.run(to: schema)
            if schema < 3 { scoresLost = epoch }
            trace.note("downgraded", [Int64(schema)])
            coverage.note("upgraded from schema \(schema)")
        } catch {
            trace.note("not downgraded", [], "\(error)")
            coverage.note("could not be downgraded")
        }
    }

    /// Damages the newest checkpoints of some series: the older ones lead to the same states.
    func damageCheckpoints() {
        do {
            try Inspector.damageNewestCheckpoints(path: Self.database)
            coverage.note("checkpoints damaged")
        } catch {
            trace.note("not damaged", [], "\(error)")
        }
    }

    /// Stops the daemon, flips bits in its files, and starts it again: it refuses to start, or it names what is damaged
    /// and shows nothing that is wrong.
    func endWithBitRot(_ random: inout Random) {
        guard failure == nil, let old = daemon else { return }
        (daemon, inspector) = (nil, nil)
        let isCrash = random.chance(0.5)
        if isCrash { tearDown(old, SIMULATED_CRASH_KILL) } else { try? old.engine.stop() }
        _ = scheduler.settle(limit: 1_000_000)
        old.isDead = true
        machine.crash(SIMULATED_CRASH_KILL, seed: random.next())
        let isCut = random.chance(0.1)
        if isCut { simulated_disk_truncate(machine.disk, Self.database, 0) }
        for _ in 0..<(isCut ? 0 : random.in(1...6)) {
            let path = random.pick([Self.database, Self.database, Self.database + "-wal", Self.database + ".mark"])
            _ = simulated_disk_rot(machine.disk, path, 0, .max, random.next())
        }
        isRotten = true
        startDaemon()
        guard failure == nil, let daemon else { return coverage.note("bit rot refused at the start") }
        compareRotten(daemon)
    }

    private func compareRotten(_ daemon: Daemon) {
        let names = Set(oracle.series.keys)
        guard let found = try? stored(names, in: daemon) else { return coverage.note("bit rot named") }
        let isNamed = !daemon.store.damagedChunks.isEmpty
        coverage.note(isNamed ? "bit rot named" : "bit rot without effect")
        for name in names.sorted() {
            for (time, value) in oracle.readings(of: name) where !oracle.mayHaveExpired(time, of: name) {
                guard let known = found[name]?[time] else {
                    // Structures of the large tables are checked in the background.
                    if isNamed || (try? daemon.store.scrub())?.isEmpty == false { return }
                    return fail("damage is named", "\(name) has lost \(time.text) in silence")
                }
                // Where a damaged chunk held a correction, an earlier value may count again: that is named, too.
                if known.bitPattern != value.bitPattern, !isNamed {
                    return fail("damage changes no value", "\(name) at \(time.text): \(known), expected \(value)")
                }
            }
        }
    }
}
