import CSimulatedDisk
import Engine
import Forecasting
import TimeSeries

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The comparison of a daemon at rest with the oracle.
extension World {
    /// How many steps everything may take to come to rest once nothing is wrong any more.
    private static let restLimit = 400_000

    /// Waits until nothing is left to do, then compares the daemon with the oracle.
    ///
    /// - Parameter count: how many series are compared; nil: all.
    func check(sample count: Int?) {
        guard failure == nil, daemon != nil else { return }
        var random = Random(seed: plan.seed ^ UInt64(current) ^ 0xC4EC)
        rest(&random)
        guard failure == nil, let daemon else { return }
        do {
            guard let inspector else { return }
            collectOutages(isSure: true)
            noticeSilence(isSure: true)
            try compareNames(daemon, inspector)
            let names = oracle.series.keys.sorted()
            var chosen = names
            if let count, names.count > count { chosen = (0..<count).map { _ in random.pick(names) } }
            compareReadings(daemon, names: Set(chosen))
            try compareStates(daemon, inspector, names: Set(chosen).sorted())
            compareStalled()
            coverage.note("compared")
            trace.note("checked", [daemon.position])
        } catch {
            fail("a daemon at rest can be read", "\(error)")
        }
    }

    /// Ends what is wrong, and waits until all that was asked has been answered.
    private func rest(_ random: inout Random) {
        simulated_disk_clear_faults(machine.disk)
        simulated_disk_set_capacity(machine.disk, .max)
        for _ in 0..<6 {
            let isAtRest = scheduler.settle(limit: Self.restLimit, until: { self.daemon?.fatal != nil })
            lookAfterDaemon(&random)
            guard isAtRest else { return fail("everything catches up", "not in \(Self.restLimit) steps") }
            guard failure == nil, let daemon, daemon.engine.ingestBacklog > 0 || isReloading else { break }
            // Requests that may wait to share a commit, and trainings that hang.
            pass(10 * WorldSettings.second)
        }
        if let daemon, daemon.engine.ingestBacklog > 0 {
            fail("everything catches up", "\(daemon.engine.ingestBacklog) requests still wait")
        }
    }

    private func compareNames(_ daemon: Daemon, _ inspector: Inspector) throws {
        let (found, expected) = (Set(try inspector.series().keys), Set(oracle.series.keys))
        if let name = expected.subtracting(found).min() { fail("nothing acknowledged is lost", "there is no \(name)") }
        if let name = found.subtracting(expected).min() { fail("nothing is invented", "there is \(name)") }
    }

    private func compareReadings(_ daemon: Daemon, names: Set<String>) {
        guard let found = try? stored(names, in: daemon) else {
            return fail("what was stored can be read", "at rest")
        }
        for name in names.sorted() {
            let expected = oracle.readings(of: name)
            if holds(found[name] ?? [:], all: expected, mayLack: { oracle.mayHaveExpired($0, of: name) }) { continue }
            fail("what was acknowledged is stored, and nothing else", difference(name, found[name] ?? [:], expected))
        }
    }

    private func difference(
        _ name: String, _ found: [Timestamp: Double], _ expected: [(timestamp: Timestamp, value: Double)]
    ) -> String {
        for (time, value) in expected where !oracle.mayHaveExpired(time, of: name) {
            guard let known = found[time] else { return "\(name) has nothing at \(time.text), expected \(value)" }
            if known.bitPattern != value.bitPattern { return "\(name) has \(known) at \(time.text), expected \(value)" }
        }
        let known = Set(expected.map(\.timestamp))
        let invented = found.keys.filter { !known.contains($0) }.min()
        return "\(name) has a reading at \(invented?.text ?? "no time") that nobody sent"
    }

    // MARK: States

    /// What the daemon says about a series.
    private struct Answer {
        var state: SeriesStateReport?
        var forecast: SeriesForecast?
        var error: EngineError?
    }

    /// Filled in by a task.
    private final class Answers: @unchecked Sendable {
        var all: [String: Answer] = [:]
        var scores: [String: ScoredSeries] = [:]
    }

    private func compareStates(_ daemon: Daemon, _ inspector: Inspector, names: [String]) throws {
        let answers = Answers()
        Task {
            let scores = try? await daemon.engine.scores(.all, in: .distantPast ... .distantFuture)
            for scored in scores ?? [] { answers.scores["\(scored.series)"] = scored }
            for name in names {
                var answer = Answer()
                answer.state = try? await daemon.engine.state(of: name)
                do {
                    answer.forecast = try await daemon.engine.forecast(of: name)
                } catch {
                    answer.error = error as? EngineError
                }
                answers.all[name] = answer
            }
        }
        guard scheduler.settle(limit: Self.restLimit) else { return fail("questions are answered", "not all") }
        let (numbers, epochs) = (try inspector.series(), try inspector.epochs(outages: outages))
        let sizes = try inspector.weightSizes()
        for epoch in epochs.values {
            if epoch.count > 2 { return fail("old epochs are removed", "\(epoch.count) of a series are there") }
            guard let known = models[epoch.version], known.size > sizes[epoch.version] ?? 0 else { continue }
            return fail("the weights of a version that serves are kept", "version \(epoch.version)")
        }
        let isAbsent = plugin.isAbsent
        plugin.isAbsent = false
        defer { plugin.isAbsent = isAbsent }
        for name in names {
            guard let number = numbers[name], let answer = answers.all[name] else { continue }
            try compare(name, number, answer, answers.scores[name], epochs[number], inspector)
        }
    }

    private func compare(
        _ name: String, _ number: Int64, _ answer: Answer, _ scored: ScoredSeries?, _ epoch: Replay.Epoch?,
        _ inspector: Inspector
    ) throws {
        guard let series = oracle.series[name] else { return }
        let configured = settings.forecaster(of: name)
        if !isReloading, series.frontier != nil, (configured == nil) != (answer.state == nil) {
            return fail("a series is forecast if a forecaster selects it", "\(name), \(configured?.name ?? "none")")
        }
        guard let epoch, let state = answer.state, let served = try model(epoch.version, inspector) else { return }
        let (model, specification) = (served.model, served.specification)
        if !isReloading, let configured, configured.name != served.forecaster {
            return fail("the forecaster that selects a series serves it", "\(name), \(served.forecaster) does")
        }
        if let horizon = configured?.horizon, !isReloading, horizon != specification.horizon {
            return fail(
                "a version fits the configuration", "\(name) has \(specification.horizon) leads, not \(horizon)")
        }
        if steppings[number]?.epoch != epoch.id { steppings[number] = (epoch.id, Stepping(series: number)) }
        var inputs: [Replay.Input] = []
        inputs = Replay.inputs(of: series, epoch, lags: model.lags) { WorldSettings.utcOffset(epoch.timeZone, $0) }
        guard let cadence = series.cadence else { return }
        if let fromSlot = epoch.fromSlot, let first = inputs.first?.slot, first < fromSlot,
            oracle.mayHaveExpired(cadence.start(of: first - Int64(model.lags.last ?? 0)), of: name)
        {
            // An epoch begins with what is left of its history.
            return coverage.note("a warm-up may have lacked what had expired")
        }
        let (count, firstOwn) = (specification.forecastCount, epoch.fromSlot ?? .min)
        let outcome = steppings[number]?.stepping.run(
            inputs, model, forecastCount: count, cadence: cadence, firstOwn: firstOwn)
        guard let outcome else {
            return fail("a state is a replay of its readings", "\(name) has a state without readings")
        }
        guard outcome.slot == state.slot else {
            return fail(
                "a state is a replay of its readings",
                "\(name) is at slot \(state.slot), expected \(outcome.slot); \(state.method) \(state.version) absorbed \(state.position) \(answer.error.map { "\($0)" } ?? "") \(epoch), cadence "
                    + "\(series.cadence.map { $0.nanoseconds } ?? 0), newest entries "
                    + "\(series.journal.suffix(4).map { "\($0.timestamp.text) \($0.isFresh) \($0.position)" })")
        }
        // A model that did not answer leaves the state as it was.
        var isAbsent = false
        if case .absent = answer.error { isAbsent = true }
        let expected = isAbsent ? outcome.closed : outcome.open
        if let index = firstDifference(state.values, expected) {
            let part = index < state.modelCount ? "model state" : "score state"
            return fail(
                "a state is a replay of its readings, bit for bit",
                "\(name), \(state.method), \(part), number \(index) of \(expected.count): "
                    + "\(index < state.values.count ? state.values[index] : .nan), "
                    + "expected \(index < expected.count ? expected[index] : .nan); slot \(state.slot), "
                    + "epoch \(epoch.id) from \(epoch.fromSlot ?? .min), outages \(epoch.outages), "
                    + "steps \(inputs.map(\.slot)), values \(inputs.map { Float(bitPattern: $0.value) })")
        }
        coverage.note("state compared")
        if let scored { compareScores(scored, outcome, name, epoch, cadence, isAbsent: isAbsent) }
        guard let forecast = answer.forecast?.forecast, !forecast.isStale else { return }
        checkUsable(forecast, name)
        if firstDifference(forecast.values, outcome.forecast) != nil {
            fail("a forecast follows from the state, bit for bit", "\(name) from slot \(forecast.origin)")
        }
        coverage.note("forecast compared")
    }

    /// Forecasts with numbers beyond all measure are not told.
    func checkUsable(_ forecast: Forecast, _ name: String) {
        if let value = forecast.values.first(where: { !($0.magnitude <= 1e30) }) {
            fail("a forecast that is told is usable", "\(name): \(value)")
        }
    }

    /// Compares the scores of whole blocks and, unless the model gives no answer, of the current one.
    private func compareScores(
        _ scored: ScoredSeries, _ outcome: Replay.Outcome, _ name: String, _ epoch: Replay.Epoch, _ cadence: Cadence,
        isAbsent: Bool
    ) {
        let found = Dictionary(scored.blocks.map { ($0.start, $0) }, uniquingKeysWith: { $1 })
        let newest = outcome.scores.keys.max()
        for (start, block) in outcome.scores.sorted(by: { $0.key < $1.key }) where start != newest || !isAbsent {
            guard let known = found[start] else {
                let isLost = scoresLost.map { $0 >= epoch.id } ?? false
                if isLost || oracle.mayHaveExpired(cadence.start(of: start), of: name) { continue }
                return fail("no scores are lost", "\(name) has none from slot \(start), it is at \(outcome.slot)")
            }
            // As text, a scale that is not a number equals itself.
            if known != block, "\(known)" != "\(block)" {
                return fail("scores follow from the states", "\(name) from slot \(start): \(known), expected \(block)")
            }
            coverage.note("scores compared")
        }
    }

    private func firstDifference(_ found: [Float], _ expected: [Float]) -> Int? {
        if found.count != expected.count { return min(found.count, expected.count) }
        return found.indices.first { found[$0].bitPattern != expected[$0].bitPattern }
    }

    /// The model of a version, loaded apart from the daemon.
    private func model(
        _ version: Int64, _ inspector: Inspector
    ) throws -> LoadedModel? {
        if let known = models[version] { return known }
        guard let row = try inspector.version(version),
            let method = ForecasterModels.methods(plugin).first(where: { $0.manifest.name == row.method })
        else { return nil }
        let loads = plugin.loads
        plugin.loads = true
        defer { plugin.loads = loads }
        let specification = try JSONDecoder().decode(ForecastSpecification.self, from: Data(row.parameters.utf8))
        let model = try method.load(weights: row.weights, specification: specification)
        let loaded = LoadedModel(
            model: ServedModel(model, specification: specification), specification: specification,
            forecaster: row.forecaster, size: row.weights.count)
        models[version] = loaded
        return loaded
    }
}
