import Engine
import TimeSeries

/// What each operation does.
extension World {
    func perform(_ kind: Operation.Kind, _ random: inout Random) {
        switch kind {
        case .send: send(&random) { $0.makeBatch(now: $1, $2, &$3) }
        case .sendOdd: send(&random) { $0.makeOddBatch(now: $1, $2, &$3) }
        case .sendUntimed: sendUntimed(&random)
        case .flood: send(&random) { $0.makeFlood(now: $1, $2, &$3) }
        case .wait:
            pass(Int64(random.logarithmic(1...600)) * WorldSettings.second)
            checkSchedule()
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
