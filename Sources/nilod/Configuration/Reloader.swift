import Engine
import Logging
import PluginHost

/// Reads the configuration again and gives it to the engine, without losing state; one reload after the other.
actor Reloader {
    private let options: SettingsOptions
    private let engine: Engine
    private let schedule: RetrainingSchedule
    private let known: Set<String>
    private let log: Logger
    private var last: Task<String, any Error>?

    init(
        options: SettingsOptions, engine: Engine, schedule: RetrainingSchedule, plugins: PluginCatalog, log: Logger
    ) {
        (self.options, self.engine, self.schedule, self.log) = (options, engine, schedule, log)
        known = Set((Methods.all + plugins.methods).map(\.manifest.name))
    }

    /// Takes as long as the plugins of new models take to load them; nobody else waits for that.
    ///
    /// - Returns: what a person should know.
    func reload() async throws -> String {
        let task = Task { [last] in
            // The configuration that was read last is the one that stays.
            _ = await last?.result
            return try await perform()
        }
        last = task
        return try await task.value
    }

    private func perform() async throws -> String {
        let settings = try options.load()
        for forecaster in settings.engine.forecasters {
            for name in [forecaster.method] + forecaster.opponents where !known.contains(name) {
                throw EngineError.notReady("the plugin \(name) was not there when nilod started; restart it")
            }
        }
        let (changed, warnings) = try await engine.reload(settings.engine)
        schedule.checkNow()
        for warning in warnings { log.warning("\(warning)") }
        return
            "configuration reloaded: \(changed) series have another model or setting; sources, sinks, sockets, plugins, shards, "
            + "group, log_level and max_unfinished_mib need a restart"
    }
}
