import Basics
import ControlInterface
public import Forecasting
import Varlink

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Serves a method of this program as a plugin: what `nilod plugin NAME` does.
public struct ForecasterService: Sendable {
    private let method: any ForecastingMethod
    private let models = Models()

    /// - Parameter method: the method to serve.
    public init(_ method: any ForecastingMethod) { self.method = method }

    /// Serves on a connected socket until the peer hangs up. Takes ownership of the descriptor.
    public func serve(connected descriptor: Int32, version: String) async throws {
        let interface = try VarlinkInterface(
            ForecasterInterface.description,
            methods: [
                "Describe": describe, "Load": load, "Unload": unload, "Advance": advance, "Train": train,
            ])
        let service = try VarlinkService(
            info: ServiceInfo(
                vendor: "Nilometer", product: method.manifest.name, version: version, url: "https://nilometer.org"),
            interfaces: [interface])
        try await service.serve(connected: descriptor)
    }

    private final class Models: Sendable {
        let loaded = Locked<[String: Loaded]>([:])
    }

    private struct Loaded: Sendable {
        var model: any ForecastModel
        var shape: ModelShape
        /// Float32s in the forecast of one expert.
        var forecastCount: Int
    }

    @Sendable private func describe(_ call: VarlinkCall) async throws {
        try await call.reply(
            ForecasterInterface.Describe.Reply(
                contract: ForecasterInterface.contract, name: method.manifest.name, version: method.manifest.version,
                capabilities: method is any TrainableMethod ? ["train"] : []))
    }

    @Sendable private func load(_ call: VarlinkCall) async throws {
        let question = try call.decode(ForecasterInterface.Load.Request.self)
        let specification = try question.specification.specification()
        let model = try translated {
            let weights = try question.weights.map { try ExchangedFile($0).read() } ?? []
            return try method.load(weights: weights, specification: specification)
        }
        let shape = ModelShape(
            stateCount: model.stateCount, lagCount: model.lags.count,
            forecastCount: model.experts.count * specification.forecastCount)
        models.loaded.withLock {
            $0[question.model] = Loaded(model: model, shape: shape, forecastCount: specification.forecastCount)
        }
        try await call.reply(
            ForecasterInterface.Load.Reply(
                stateCount: model.stateCount, lags: model.lags,
                experts: model.experts.map { ForecasterExpert(name: $0.name, prior: $0.prior) },
                initialState: Payload.encode(model.initialState[...]), summary: model.summary))
    }

    @Sendable private func unload(_ call: VarlinkCall) async throws {
        let name = try call.decode(ForecasterInterface.Unload.Request.self).model
        models.loaded.withLock { $0[name] = nil }
        try await call.reply(ForecasterInterface.Unload.Reply())
    }

    @Sendable private func advance(_ call: VarlinkCall) async throws {
        let question = try call.decode(ForecasterInterface.Advance.Request.self)
        guard let loaded = models.loaded.withLock({ $0[question.model] }) else {
            throw ForecasterInterfaceError.unknownModel(model: question.model).varlink
        }
        var batch = try AdvanceBatch(question, loaded.model, loaded.shape, forecastCount: loaded.forecastCount)
        loaded.model.advance(&batch)
        try await call.reply(
            ForecasterInterface.Advance.Reply(
                states: Payload.encode(batch.states[...]), forecasts: Payload.encode(batch.forecasts[...])))
    }

    @Sendable private func train(_ call: VarlinkCall) async throws {
        guard call.wantsMore else { throw VarlinkError.expectedMore }
        guard let method = method as? any TrainableMethod else {
            throw ForecasterInterfaceError.trainingFailed(text: "this method needs no training").varlink
        }
        let question = try call.decode(ForecasterInterface.Train.Request.self)
        let specification = try question.specification.specification()
        for try await step in training(method, question, specification) {
            try await call.reply(step, continues: step.metrics == nil)
        }
    }

    /// The replies of a training run; the last one has the metrics. Training never suspends, so it runs in a task of
    /// its own.
    private func training(
        _ method: any TrainableMethod, _ question: ForecasterInterface.Train.Request,
        _ specification: ForecastSpecification
    ) -> AsyncThrowingStream<ForecasterInterface.Train.Reply, any Error> {
        AsyncThrowingStream { continuation in
            Task.detached {
                do {
                    var last = TrainingProgress(done: 0, total: 0, loss: 0)
                    let trained = try translated {
                        try Self.train(method, question, specification) { step in
                            last = step
                            let result = continuation.yield(ForecasterInterface.Train.Reply(step))
                            if case .terminated = result { throw ForecastingError.cancelled }
                        }
                    }
                    continuation.yield(ForecasterInterface.Train.Reply(last, metrics: trained.metrics))
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
        }
    }

    private static func train(
        _ method: any TrainableMethod, _ question: ForecasterInterface.Train.Request,
        _ specification: ForecastSpecification,
        progress: (TrainingProgress) throws -> Void
    ) throws -> TrainedWeights {
        let panel = try PanelFile.read(values: URL(filePath: question.panel), index: URL(filePath: question.index))
        let from = try question.from.map { try ExchangedFile($0).read() }
        let trained = try method.train(panel, from: from, specification: specification, progress: progress)
        try ExchangedFile(question.weights).write(trained.weights)
        return trained
    }

    /// Converts errors of the method contract to errors of the interface.
    private func translated<T>(_ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let error as ForecastingError {
            let text = "\(error)"
            switch error {
            case .unknownParameter(let name, _, _), .badParameter(let name, _, _, _):
                throw ForecasterInterfaceError.badParameter(parameter: name, text: text).varlink
            case .badWeights, .badFile: throw ForecasterInterfaceError.badWeights(text: text).varlink
            default: throw ForecasterInterfaceError.trainingFailed(text: text).varlink
            }
        }
    }
}

/// A file at a path from the daemon.
private struct ExchangedFile {
    private let folder: Directory
    private let name: String

    init(_ path: String) throws {
        let url = URL(filePath: path)
        (folder, name) = (try Directory(opening: url.deletingLastPathComponent().path), url.lastPathComponent)
    }

    func read() throws -> [UInt8] { try folder.read(name) }
    func write(_ bytes: [UInt8]) throws { try folder.write(bytes, to: name) }
}

extension ForecasterInterface.Train.Reply {
    fileprivate init(_ step: TrainingProgress, metrics: [String: Double]? = nil) {
        self.init(done: step.done, total: step.total, loss: step.loss, metrics: metrics)
    }
}
