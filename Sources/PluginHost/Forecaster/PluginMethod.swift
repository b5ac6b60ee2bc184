import ControlInterface
import Forecasting
import Varlink

/// A method whose models run in a plugin's process.
struct PluginMethod: ForecastingMethod {
    let supervisor: PluginSupervisor
    let files: PluginFiles

    var manifest: Manifest { supervisor.plugin.manifest }

    /// Loads a model. Needs the process only for one that was never loaded before.
    func load(weights: [UInt8], specification: ForecastSpecification) throws -> any ForecastModel {
        var specification = specification
        specification.parameters = try manifest.resolve(specification.parameters)
        let name = try files.name(manifest, specification, weights)
        var request = ModelRequest(
            name: name, specification: specification, weights: try files.write(weights, of: name))
        if let known = files.description(of: name), let description = try? ModelDescription(known, specification) {
            request.reply = known
            supervisor.register(request)
            return PluginModel(name, description, supervisor)
        }
        let reply = try translated { try supervisor.load(request) }
        let description = try ModelDescription(reply, specification)
        try files.write(reply, of: name)
        return PluginModel(name, description, supervisor)
    }

    /// Converts errors of the interface to errors of the method contract.
    private func translated<T>(_ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let error as VarlinkError {
            let text = error.text("text") ?? "\(error)"
            guard error.name == ForecasterInterface.qualified("BadParameter") else {
                throw ForecastingError.badWeights(method: manifest.name, reason: text)
            }
            throw ForecastingError.badParameter(
                error.text("parameter") ?? "", method: manifest.name, expected: text, found: "what was given")
        }
    }
}

/// A ``PluginMethod`` for a plugin that can be trained. Each training runs in a process of its own.
struct TrainablePluginMethod: TrainableMethod {
    let method: PluginMethod
    let launcher: String
    let log: @Sendable (String) -> Void

    var manifest: Manifest { method.manifest }

    func load(weights: [UInt8], specification: ForecastSpecification) throws -> any ForecastModel {
        guard !weights.isEmpty else {
            throw ForecastingError.badWeights(method: manifest.name, reason: "there are none")
        }
        return try method.load(weights: weights, specification: specification)
    }

    func train(
        _ panel: Panel, from: [UInt8]?, specification: ForecastSpecification,
        progress: (TrainingProgress) throws -> Void
    ) throws -> TrainedWeights {
        let exchange = try Directory.openOrCreate(method.files.folder.path)
        let (name, folder) = try exchange.numberedFolder(PluginExchange.run)
        defer { exchange.remove(PluginExchange.run(name)) }
        let question = try question(panel, from, specification, in: folder)
        let plugin = method.supervisor.plugin
        let process = try PluginProcess(plugin, launcher: launcher, line: log)
        defer {
            process.end()
            process.child.waitUntilOver(within: .seconds(10))
        }
        try process.handshake(plugin)
        let metrics: [String: Double]
        do {
            metrics = try process.channel.train(question) { step in
                try progress(TrainingProgress(done: step.done, total: step.total, loss: step.loss))
            }
        } catch let error as VarlinkError {
            throw ForecastingError.diverged(method: manifest.name, reason: error.text("text") ?? "\(error)")
        }
        return TrainedWeights(weights: try folder.read(PluginExchange.result), metrics: metrics)
    }

    private func question(
        _ panel: Panel, _ from: [UInt8]?, _ specification: ForecastSpecification, in folder: Directory
    ) throws -> ForecasterInterface.Train.Request {
        func path(_ name: String) -> String { "\(folder.path)/\(name)" }
        var specification = specification
        specification.parameters = try manifest.resolve(specification.parameters)
        try PanelFile.write(panel, values: PluginExchange.panel, index: PluginExchange.index, in: folder)
        if let from { try folder.write(from, to: PluginExchange.start) }
        return ForecasterInterface.Train.Request(
            panel: path(PluginExchange.panel), index: path(PluginExchange.index),
            specification: ForecasterSpecification(specification),
            from: from == nil ? nil : path(PluginExchange.start), weights: path(PluginExchange.result))
    }
}
