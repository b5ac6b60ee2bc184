import Engine
import Forecasting
import Storage
import TimeSeries

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The process of a simulated daemon: an engine, and what else the daemon wires to it.
///
/// `@unchecked Sendable`: used only by the thread that runs the simulation.
final class Daemon: @unchecked Sendable {
    let engine: Engine
    let store: Store
    private(set) var retraining: Retraining!
    /// How the next training ends.
    var trainer = Trainer()
    /// The newest training that was launched; several requests may wait for it.
    private(set) var launched = Trainer()
    private let fate: Fate
    private let runtime: Scheduler
    var isDead = false
    /// Whether a watcher reads all its events.
    var isWatched = false
    /// How many silent series it had removed when the world last looked.
    var removedCount = 0
    /// Whether the retraining schedule is looking for what is due.
    var isChecking = false

    /// The newest journal position.
    var position: Int64 { (try? store.lastPosition()) ?? 0 }

    /// Why it would have exited; nil: it lives.
    var fatal: String? { fate.reason }

    private final class Fate: @unchecked Sendable { var reason: String? }

    init(
        disk: ProcessDisk, methods: [any ForecastingMethod], configuration: EngineConfiguration,
        clock: SimulatedClock, runtime: Scheduler, folder: URL, onNotice: @escaping @Sendable (EngineNotice) -> Void
    ) async throws {
        let fate = Fate()
        self.fate = fate
        self.runtime = runtime
        store = try await runtime.apart { try Store(path: World.database, on: disk) }
        engine = try await Engine(
            store: store, methods: methods, configuration: configuration, clock: clock, kernel: "simulated",
            runtime: runtime,
            onFatal: { error in
                // A real daemon exits at once.
                if fate.reason == nil { disk.die() }
                fate.reason = fate.reason ?? "\(error)"
            }, onNotice: onNotice)
        retraining = Retraining(engine: engine, folder: folder) { [weak self] url, _ in
            guard let self else { return }
            let trainer = self.trainer
            launched = trainer
            try await trainer.train(in: RunFolder(url), runtime)
        }
    }

    /// Ends all that runs; the disk no longer answers.
    func tearDown() {
        runtime.wakeAll()
        let retraining = retraining
        Task { await retraining?.stop() }
        try? engine.stop()
    }
}

/// The child process that trains: it succeeds, fails, hangs, or returns garbage.
struct Trainer: Sendable {
    enum Outcome: CaseIterable { case wins, winsSome, loses, fails, hangs, garbledWeights, garbledResult, nanScores }

    var outcome = Outcome.wins
    var choice = 0

    func train(in folder: RunFolder, _ runtime: Scheduler) async throws {
        let (request, _) = try folder.readRequest()
        var weights = try ForecasterModels.weights(request.specification, choice)
        switch outcome {
        case .fails: throw ForecastingError.diverged(method: request.method, reason: "simulated")
        case .hangs:
            await runtime.sleep(nanoseconds: 7_200 * WorldSettings.second)
            throw CancellationError()
        case .garbledWeights: weights = weights.prefix(weights.count / 2) + [0xFF]
        case .garbledResult: return
        case .wins, .winsSome, .loses, .nanScores: break
        }
        var scores: [String: [SeriesScore?]] = [:]
        for contender in request.contenders {
            scores[contender.name] = request.columns.map { _ in SeriesScore(pinball: 1, mase: 1, coverage: 0.8) }
        }
        scores[TrainingRequest.candidate] = request.columns.indices.map { index in
            let isBetter = outcome == .wins || (outcome == .winsSome && index % 2 == 0)
            let pinball: Double = outcome == .nanScores ? .nan : isBetter ? 0.5 : 2
            return SeriesScore(pinball: pinball, mase: pinball, coverage: 0.8)
        }
        try folder.write(TrainingResult(metrics: [:], scores: scores), weights: weights)
    }
}
