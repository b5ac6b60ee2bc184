import Engine
import Forecasting
import PluginHost

/// Reads the configuration again and gives it to the engine, without losing state.
struct Reloader: Sendable {
    let options: SettingsOptions
    let engine: Engine
    let plugins: PluginCatalog
    let log: Log

    /// - Returns: what a person should know.
    @Sendable
    func reload() async throws -> String {
        let settings = try options.load()
        try prepare(settings.engine.forecasters)
        let changed = try await engine.reload(settings.engine)
        return
            "configuration reloaded: \(changed) series changed their forecaster; sources, sinks, sockets and plugins need a restart"
    }

    /// Lets plugins describe the models that the engine will ask for, because it must not wait for a process.
    private func prepare(_ forecasters: [ForecasterConfiguration]) throws {
        let running = Methods.all + plugins.methods
        for forecaster in forecasters {
            for name in [forecaster.method] + forecaster.opponents {
                guard let method = running.first(where: { $0.manifest.name == name }) else {
                    throw EngineError.notReady("the plugin \(name) was not there when nilod started; restart it")
                }
                guard !(method is any TrainableMethod) else { continue }
                do {
                    _ = try method.load(weights: [], specification: forecaster.specification(of: method.manifest))
                } catch {
                    log.warning("forecaster \(forecaster.name): \(error)")
                }
            }
        }
    }
}
