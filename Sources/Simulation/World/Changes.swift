import Engine
import TimeSeries

/// What operators ask for: other models, another configuration, trainings and the removal of series.
extension World {
    func changeModels(_ kind: Operation.Kind, _ random: inout Random) {
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

    func reload(_ random: inout Random) {
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

    func train(_ random: inout Random) {
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

    func forget(_ random: inout Random) {
        let sender = random.pick(senders)
        guard !sender.isSending, !sender.isInDoubt, !sender.isPaused else { return }
        let names = Set((0..<random.in(1...3)).map { _ in random.pick(sender.names) })
        sender.isPaused = true
        let before = daemon
        withDaemon { daemon in
            defer { if !daemon.isDead { sender.isPaused = false } }
            for name in names.sorted() {
                self.forgetting.insert(name)
                do {
                    _ = try await daemon.engine.forget(SeriesSelector(name))
                } catch {
                    if !daemon.isDead, daemon.fatal == nil { self.forgetFailed(name) }
                    throw error
                }
                self.hasForgotten([name])
            }
            self.coverage.note("forgot")
        }
        if before == nil { sender.isPaused = false }
    }

    /// Somebody wanted to remove a series, which may just have gone for its silence.
    private func forgetFailed(_ name: String) {
        forgetting.remove(name)
        noticeSilence(isSure: true)
    }

    /// Series are gone.
    func hasForgotten(_ names: Set<String>) {
        forgetting.subtract(names)
        oracle.forget(names)
        for name in names { numbers[name] = nil }
        watching.forget(names)
        for sender in senders { sender.forget(names) }
        trace.note("forgotten", [Int64(names.count)])
    }

    func expire() {
        withDaemon { daemon in
            _ = try await daemon.engine.expireNow()
            self.coverage.note("expired")
        }
    }

    func changePlugin(_ random: inout Random) {
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
}
