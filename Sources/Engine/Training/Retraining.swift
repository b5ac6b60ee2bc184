import Basics
import CMemory
public import Forecasting
import Storage
import TimeSeries

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// The progress and the result of a training run.
public enum RetrainingEvent: Sendable {
    case queued
    case preparing
    case training(TrainingProgress)
    /// `promoted` is the number of series that the new version serves.
    case finished(version: Int, promoted: Int, text: String)
    case failed(String)
}

/// Trains one forecaster at a time in a child process, and promotes the winners.
public actor Retraining {
    /// Runs the child process on a folder; returns when it has succeeded.
    public typealias Launcher =
        @Sendable (
            _ folder: URL, _ progress: @escaping @Sendable (TrainingProgress) -> Void
        ) async throws -> Void

    private let engine: Engine
    private let folder: URL
    private let launch: Launcher
    private var queue: [String] = []
    private var listeners: [String: [AsyncStream<RetrainingEvent>.Continuation]] = [:]
    private var current: Task<Void, Never>?
    private var isStopped = false
    private static let stopped = RetrainingEvent.failed("the daemon stops")
    /// The forecaster that is being trained; nil if none is.
    public private(set) var running: String?

    public init(engine: Engine, folder: URL, launch: @escaping Launcher) {
        (self.engine, self.folder, self.launch) = (engine, folder, launch)
    }

    /// Queues a run, or joins one of the same forecaster that is queued or running.
    public func request(_ forecaster: String) async throws -> AsyncStream<RetrainingEvent> {
        let configuration = try await engine.forecaster(forecaster)
        guard engine.catalog.isTrainable(configuration.method) else {
            throw EngineError.notTrainable(forecaster: forecaster, method: configuration.method)
        }
        let (stream, continuation) = AsyncStream.makeStream(of: RetrainingEvent.self)
        continuation.yield(.queued)
        listeners[forecaster, default: []].append(continuation)
        guard !isStopped else {
            finish(forecaster, Self.stopped)
            return stream
        }
        if !queue.contains(forecaster), running != forecaster { queue.append(forecaster) }
        startNext()
        return stream
    }

    /// Cancels the current run and refuses queued and future ones.
    public func stop() async {
        isStopped = true
        for forecaster in queue { finish(forecaster, Self.stopped) }
        queue = []
        current?.cancel()
        await current?.value
    }

    private func startNext() {
        guard running == nil, !queue.isEmpty else { return }
        let forecaster = queue.removeFirst()
        running = forecaster
        current = Task { await self.train(forecaster) }
    }

    private func train(_ forecaster: String) async {
        let started = engine.clock.now
        let event: RetrainingEvent
        var record: ModelEvent
        do {
            let result = try await run(forecaster)
            record = engine.trainingEvent(of: forecaster, .training, result.text)
            (record.version, record.series) = (result.version, result.promoted)
            event = .finished(version: result.version, promoted: result.promoted, text: result.text)
            engine.modelCounters.recordTraining(forecaster, result.text)
        } catch {
            record = engine.trainingEvent(of: forecaster, .failure, "\(error)")
            event = .failed(record.text)
            // A stop cancels the run and reports it itself.
            if !isStopped { engine.modelCounters.recordTrainingFailure(forecaster, record.text) }
        }
        try? await engine.writer.run(RecordTraining(started: started, event: record))
        // The panel and the contenders' weights are the largest allocations that the daemon frees.
        try? await engine.runtime.apart { release_freed_memory() }
        // Without suspension: a request in between would join a run whose end was already reported.
        finish(forecaster, event)
        running = nil
        startNext()
    }

    private func finish(_ forecaster: String, _ event: RetrainingEvent) {
        notify(forecaster, event)
        for listener in listeners.removeValue(forKey: forecaster) ?? [] { listener.finish() }
    }

    private func notify(_ forecaster: String, _ event: RetrainingEvent) {
        for listener in listeners[forecaster] ?? [] { listener.yield(event) }
    }

    private func run(_ forecaster: String) async throws -> (version: Int, promoted: Int, text: String) {
        notify(forecaster, .preparing)
        let runs = try RunFolders(folder)
        let run = try runs.make()
        defer { runs.remove(run) }
        let configuration = try await engine.forecaster(forecaster)
        let preparation = try await engine.prepareTraining(configuration, in: run)
        try await launch(run.url) { progress in Task { await self.notify(forecaster, .training(progress)) } }
        try Task.checkCancellation()
        return try await engine.storeResult(of: run, preparation, configuration)
    }
}

extension Engine {
    fileprivate func trainingEvent(of forecaster: String, _ kind: ModelEvent.Kind, _ text: String) -> ModelEvent {
        ModelEvent(forecaster: forecaster, at: clock.now, kind: kind, version: nil, series: 0, text: text)
    }
}
